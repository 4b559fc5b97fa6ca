"""Django's registration of the AI wrapper."""

from django.apps import AppConfig


class AiConfig(AppConfig):
    """LLM calls: recorded, admitted, skipped where nothing changed."""

    name = "healthpilot.ai"
    label = "ai"
    verbose_name = "AI calls"
