"""docker-compose.yml runs what dev.py runs, healthily and without a secret."""

import os
import re
import subprocess
import sys
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet

from devservices import application
from devservices.places import ROOT

TEXT = (ROOT / "docker-compose.yml").read_text()
SERVICES: dict[str, Any] = yaml.safe_load(TEXT)["services"]
LONG_RUNNING = sorted(set(SERVICES) - {"migrate"})


def words(service: str) -> tuple[str, ...]:
    return tuple(SERVICES[service]["command"].split())


def test_it_has_everything() -> None:
    assert set(SERVICES) == {"web", "worker", "beat", "migrate", "postgres", "redis"}


@pytest.mark.parametrize(
    ("service", "command"),
    [("web", application.WEB), ("worker", application.WORKER), ("beat", application.BEAT)],
)
def test_the_commands_are_those_of_dev_py(service: str, command: tuple[str, ...]) -> None:
    assert words(service)[: len(command)] == command


def test_the_image_alone_is_a_web_server() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    said = re.findall(r'"([^"]*)"', dockerfile.split("\nCMD ")[1])
    assert tuple(said[: len(application.WEB)]) == application.WEB


@pytest.mark.parametrize("service", LONG_RUNNING)
def test_each_says_whether_it_is_well(service: str) -> None:
    assert SERVICES[service]["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert SERVICES[service]["restart"] == "unless-stopped"


def test_the_health_check_of_web_is_a_program() -> None:
    test = SERVICES["web"]["healthcheck"]["test"]
    assert test[:3] == ["CMD", "python", "-c"]
    compile(test[3], "healthcheck", "exec")


@pytest.mark.parametrize("service", ["web", "worker", "beat"])
def test_the_application_waits_for_what_it_needs(service: str) -> None:
    conditions = {name: on["condition"] for name, on in SERVICES[service]["depends_on"].items()}
    assert conditions == {
        "postgres": "service_healthy",
        "redis": "service_healthy",
        "migrate": "service_completed_successfully",
    }


def test_secrets_come_from_outside() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("SECRET|KEY|PASSWORD|URL", name):
                assert value.startswith("${"), name
    assert not re.search(r"PASSWORD:-[^}]", TEXT)


def test_every_variable_is_one_that_the_settings_read() -> None:
    settings = (ROOT / "procore_sync" / "settings.py").read_text()
    for name in SERVICES["web"]["environment"]:
        assert f'"{name}"' in settings, name


def test_named_volumes_exist() -> None:
    declared = set(yaml.safe_load(TEXT)["volumes"])
    used = {v.split(":")[0] for s in SERVICES.values() for v in s.get("volumes", [])}
    assert used == declared


def test_nothing_runs_as_root() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "\nUSER procore-sync\n" in dockerfile


def checked(**more: str) -> "subprocess.CompletedProcess[str]":
    environment = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
        "ALLOWED_HOSTS": "payments.example.com",
        "CSRF_TRUSTED_ORIGINS": "https://payments.example.com",
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
        "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
        "CACHE_URL": "redis://127.0.0.1:1/1",
        **more,
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_the_deployment_check_is_clean() -> None:
    done = checked()
    assert done.returncode == 0, done.stderr


def test_email_that_is_sent_needs_an_address_for_its_links() -> None:
    server = "smtp+tls://user:word@mail.example.com:587"
    done = checked(EMAIL_URL=server)
    assert done.returncode and "PUBLIC_URL" in done.stderr
    done = checked(
        EMAIL_URL=server,
        PUBLIC_URL="https://payments.example.com",
        DEFAULT_FROM_EMAIL="Payments <payments@example.com>",
    )
    assert done.returncode == 0, done.stderr
