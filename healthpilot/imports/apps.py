"""Django's registration of the imports."""

from django.apps import AppConfig


class ImportsConfig(AppConfig):
    """Files that people upload, and how they become events."""

    name = "healthpilot.imports"
    label = "imports"
    verbose_name = "Imports"
