"""HealthPilot: what jobs and LLM calls cost, and whether everything is up."""

from healthpilot.celery import app as celery_app

__all__ = ["celery_app"]
__version__ = "0.1.0"
