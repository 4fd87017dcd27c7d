"""Every setting, from the environment, loud about what is missing.

``README.md`` has the table of variables for people who run the application.
"""

from pathlib import Path

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# --- Secrets and addresses: no defaults, so that a missing one stops the start ---
SECRET_KEY = env.str("SECRET_KEY")
#: Fernet keys, newest first: the first encrypts, all decrypt (``manage.py rotate_credentials``).
CREDENTIAL_KEYS = env.list("CREDENTIAL_KEYS")
DATABASES = {"default": env.db("DATABASE_URL")}
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL")
CACHES = {"default": env.cache("CACHE_URL", default="locmemcache://")}

DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
#: whether ERPs may live at private addresses (an ERP in the office, the demo's on loopback)
ERP_PRIVATE_ADDRESSES = env.bool("ERP_PRIVATE_ADDRESSES", default=False)

DATABASES["default"].setdefault("CONN_MAX_AGE", env.int("DATABASE_CONN_MAX_AGE", default=60))
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "projects",
    "commitments",
    "payments",
    "erp_integrations",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "guardian",
    "csp",
    "django_htmx",
    "django_filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "procore_sync.urls"
WSGI_APPLICATION = "procore_sync.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "projects.navigation.navigation",
            ],
            "builtins": ["projects.templatetags.ledger"],
        },
    }
]

# --- Sign-in ---
AUTH_USER_MODEL = "projects.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
    "guardian.backends.ObjectPermissionBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "projects:portfolio"
# People are invited by an administrator; nobody signs up by themselves.
ACCOUNT_ADAPTER = "projects.sign_in.InvitedPeopleOnly"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/5m/key"}
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Procore Sync"
GUARDIAN_RAISE_403 = False
# An anonymous visitor has no grants; a row for one would only be one more thing to protect.
ANONYMOUS_USER_NAME = None

# --- Words, numbers, time ---
LANGUAGE_CODE = "en-us"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- Files ---
STATIC_URL = "static/"
STATIC_ROOT = env.path("STATIC_ROOT", default=BASE_DIR / "staticfiles")
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = env.path("MEDIA_ROOT", default=BASE_DIR / "media")
#: attachments are only ever served by a view that checks access, never from a URL of their own
MEDIA_URL = ""
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
ATTACHMENT_MAX_BYTES = env.int("ATTACHMENT_MAX_BYTES", default=20 * 1024 * 1024)
#: largest file with payments, and where folders that are watched for them lie (none: none are)
FILE_DROP_MAX_BYTES = env.int("FILE_DROP_MAX_BYTES", default=256 * 1024 * 1024)
FILE_DROP_FOLDER = env.str("FILE_DROP_FOLDER", default="")
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600

# --- The browser's rules ---
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
#: False only where people reach the application over plain HTTP, as in ``dev.py``
SECURE_COOKIES = env.bool("SECURE_COOKIES", default=True)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_COOKIES
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=SECURE_COOKIES)
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31536000 if SECURE_COOKIES else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_COOKIES
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
if env.bool("TRUST_FORWARDED_PROTO", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- E-mail ---
#: the console, for looking; ``smtp+tls://user:password@host:587`` for sending
EMAIL_URL = env.str("EMAIL_URL", default="") or "consolemail://"
vars().update(env.email_url_config(EMAIL_URL))
EMAIL_TIMEOUT = 20
#: where people reach this site; links in e-mails begin with it
PUBLIC_URL = env.str("PUBLIC_URL", default="")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="")
if not EMAIL_URL.startswith("consolemail:") and not (PUBLIC_URL and DEFAULT_FROM_EMAIL):
    raise ImproperlyConfigured(
        "E-mail is sent (EMAIL_URL is set), so PUBLIC_URL, e.g. https://sync.example.com, and "
        "DEFAULT_FROM_EMAIL have to be set too: links in e-mails have to lead somewhere."
    )
PUBLIC_URL = PUBLIC_URL or "http://localhost:8000"
DEFAULT_FROM_EMAIL = DEFAULT_FROM_EMAIL or "procore-sync@localhost"

# --- Background work ---
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A message is handed out again after the visibility timeout, so no task may run that long. A sync
# gives its lease back after SYNC_TIME_SLICE seconds and goes on in a new task.
CELERY_TASK_SOFT_TIME_LIMIT = 25 * 60
CELERY_TASK_TIME_LIMIT = 30 * 60
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 60 * 60,
    # kombu looks for unacknowledged messages every interval × throttle seconds; 10 × 10 by default
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = env.str("BEAT_SCHEDULE_FILE", default="celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    "start syncs that are due": {
        "task": "erp_integrations.tasks.start_due_syncs",
        "schedule": env.float("SYNC_DISPATCH_SECONDS", default=60.0),
        "options": {"expires": 60},
    },
    "start syncs that notifications of ERPs ask for": {
        "task": "erp_integrations.tasks.start_notified_syncs",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "forget old previews and notifications": {
        "task": "erp_integrations.tasks.forget_old_previews_and_notifications",
        "schedule": 6 * 3600.0,
        "options": {"expires": 3600},
    },
    "recover runs that stopped": {
        "task": "erp_integrations.tasks.recover_stopped_runs",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "compare both books at night": {
        "task": "erp_integrations.tasks.start_due_comparisons",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "send e-mail": {
        "task": "erp_integrations.tasks.send_emails",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "tell of payments that were recorded": {
        "task": "erp_integrations.tasks.tell_of_payments",
        "schedule": 120.0,
        "options": {"expires": 120},
    },
    "write daily summaries where it is morning": {
        "task": "erp_integrations.tasks.write_summaries",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "forget raw payloads that are old": {
        "task": "erp_integrations.tasks.forget_raw_payloads",
        "schedule": crontab(hour=2, minute=17),
        "options": {"expires": 3600},
    },
    "show payments whose reason to wait is gone": {
        "task": "erp_integrations.tasks.project_waiting_payments",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "look for files in watched folders and on SFTP servers": {
        "task": "erp_integrations.tasks.look_for_files",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "refresh the lists of vendors, jobs and commitments": {
        "task": "erp_integrations.tasks.look_after_directories",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
}
#: seconds a run may go without a sign of life before another worker takes it over
SYNC_LEASE_SECONDS = env.int("SYNC_LEASE_SECONDS", default=30)
#: seconds a run works in one task before it goes on in a new one
SYNC_TIME_SLICE = env.int("SYNC_TIME_SLICE", default=15 * 60)

# --- What happened ---
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    # urllib3 writes whole URLs at DEBUG, and a URL may hold what a person typed
    "loggers": {"urllib3": {"level": "WARNING"}},
}
