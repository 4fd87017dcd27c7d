"""Whether this process is alive, and whether what it needs answers.

The answers name parts, never addresses or error texts: anybody may ask.
"""

import logging
from collections.abc import Callable

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import KombuError
from redis import RedisError

from procore_sync.celery import app

log = logging.getLogger(__name__)

#: set by a task that beat starts every 15 seconds; see ``erp_integrations.tasks``
HEARTBEAT = "beat_heartbeat"


@never_cache
@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """The process answers. Nothing else is asked, so that no outage restarts it."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """503 without a database; without the rest, pages still work and say what does not."""
    parts = {name: _answers(name, check) for name, check in CHECKS.items()}
    status = 200 if parts["database"] else 503
    words = {name: "up" if is_up else "down" for name, is_up in parts.items()}
    return JsonResponse({"ready": status == 200, "parts": words}, status=status)


def _answers(name: str, check: Callable[[], bool]) -> bool:
    try:
        return check()
    except (DatabaseError, KombuError, RedisError, OSError):
        log.warning("Not ready: the %s does not answer.", name, exc_info=True)
        return False


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


def _broker() -> bool:
    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=2)
    return True


def _scheduler() -> bool:
    """Beat and a worker: the one rings, the other writes the heartbeat."""
    return cache.get(HEARTBEAT) is not None


CHECKS: dict[str, Callable[[], bool]] = {
    "database": _database,
    "broker": _broker,
    "scheduler": _scheduler,
}
