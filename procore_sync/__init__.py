"""The project: settings, URLs, and the Celery application that tasks register with."""

from procore_sync.celery import app as celery_app

__all__ = ["celery_app"]
