"""Settings for tests: the application's own, on engines that ``dev.py test`` starts."""

import os

os.environ.setdefault("SECRET_KEY", "tests-only")
os.environ.setdefault("CREDENTIAL_KEYS", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
os.environ.setdefault("DATABASE_URL", "postgres://app:app@127.0.0.1:5432/app")
os.environ.setdefault("CELERY_BROKER_URL", "redis://127.0.0.1:6379/0")
os.environ.setdefault("SECURE_COOKIES", "false")
os.environ.setdefault("ERP_PRIVATE_ADDRESSES", "true")

from procore_sync.settings import *

ALLOWED_HOSTS = ["*"]
# Fast and weak: no test is about how strong a hash is.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# A task that is rung for in a test is run there and then; the tests of the worker use a real one.
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
# Static files are found where they are written; nothing was collected.
WHITENOISE_AUTOREFRESH = True
