"""Celery: a doorbell. What has to be done, and whether it was, stands in the database."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "procore_sync.settings")

app = Celery("procore_sync")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
