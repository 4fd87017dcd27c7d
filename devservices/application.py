"""The application itself: its environment variables and its three processes."""

import base64
import os
import secrets
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from devservices.places import ROOT, DataFolder
from devservices.processes import Service

#: the same three that docker-compose.yml runs (a test compares them)
WEB = (
    *("gunicorn", "procore_sync.wsgi:application", "--no-control-socket", "--preload"),
    *("--worker-class", "gthread", "--workers", "2", "--threads", "4"),
)
WORKER = ("celery", "-A", "procore_sync", "worker", "--concurrency", "2", "--loglevel", "INFO")
BEAT = ("celery", "-A", "procore_sync", "beat", "--loglevel", "INFO")

SIGN_INS = dict.fromkeys(("admin", "accountant", "pm", "viewer", "stranger"), "procore-sync-demo")


def kept_secrets(folder: DataFolder) -> dict[str, str]:
    """Made once, readable by their owner only, and never printed."""
    known = folder.read("secrets.json")
    if not known:
        known = {
            "secret_key": secrets.token_urlsafe(50),
            "credential_key": base64.urlsafe_b64encode(os.urandom(32)).decode(),
            "postgres_password": secrets.token_urlsafe(24),
        }
        folder.write_private("secrets.json", known)
    return known


def variables(folder: DataFolder, engines: dict[str, str], port: int = 0) -> dict[str, str]:
    """Everything that ``procore_sync.settings`` reads, on top of what is set already."""
    known = kept_secrets(folder)
    return engines | {
        "DJANGO_SETTINGS_MODULE": "procore_sync.settings",
        "SECRET_KEY": known["secret_key"],
        "CREDENTIAL_KEYS": known["credential_key"],
        "DEBUG": os.environ.get("DEBUG", "false"),
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "CSRF_TRUSTED_ORIGINS": f"http://127.0.0.1:{port},http://localhost:{port}",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",  # e-mail is written to the worker's log
        "MEDIA_ROOT": str(folder.path / "media"),
        "STATIC_ROOT": str(folder.path / "static"),
        "BEAT_SCHEDULE_FILE": str(folder.path / "celerybeat-schedule"),
        "ERP_PRIVATE_ADDRESSES": "true",  # the demo's ERP is on this machine
        "SECURE_COOKIES": "false",  # plain HTTP
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT),
    }


def cache_beside(broker_url: str) -> str | None:
    """The next database of a broker that is a Redis; None for any other."""
    parts = urlsplit(broker_url)
    if parts.scheme not in ("redis", "rediss"):
        return None
    return urlunsplit(parts._replace(path="/1", query=""))


class Application:
    """The three processes, each with its own log."""

    def __init__(
        self, folder: DataFolder, python: Path, environment: dict[str, str], port: int
    ) -> None:
        self.folder, self.python, self.port = folder, python, port
        self.environment = dict(os.environ) | environment

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def web(self) -> Service:
        listening = ("--bind", f"127.0.0.1:{self.port}", "--graceful-timeout", "5")
        web = self._service("web", (*WEB, *listening))
        web.ready = self._web_answers
        return web

    def worker(self) -> Service:
        worker = self._service("worker", (*WORKER, "--hostname", f"{self.folder.mark}@%h"))
        worker.ready = lambda: _says(worker.log, " ready.", since=self._worker_log_size)
        self._worker_log_size = _size(worker.log)
        return worker

    def beat(self) -> Service:
        schedule = str(self.folder.path / "celerybeat-schedule")
        return self._service("beat", (*BEAT, "-s", schedule, "--pidfile="))

    def _service(self, name: str, words: tuple[str, ...]) -> Service:
        return Service(
            name=name,
            command=[self.python, "-m", *words],
            log=self.folder.log(name),
            environment=self.environment,
            cwd=ROOT,
        )

    def _web_answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/livez", timeout=5).close()  # noqa: S310 - our own
        except OSError:  # not listening yet, or an error page
            return False
        return True


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _says(log: Path, words: str, since: int) -> bool:
    if not log.exists():
        return False
    with log.open("rb") as stream:
        stream.seek(since)
        return words.encode() in stream.read()
