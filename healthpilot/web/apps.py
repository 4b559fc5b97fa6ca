"""Django's registration of the shared web parts."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Cursor pages, access rules, template tags, JSON and CSV answers."""

    name = "healthpilot.web"
    label = "web"
