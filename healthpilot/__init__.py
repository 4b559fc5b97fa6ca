"""HealthPilot: what jobs and LLM calls cost, and whether everything is up. Loads the Celery app for shared tasks."""

from healthpilot.celery import app as celery_app

__all__ = ["celery_app"]
