"""Virtual environments, filled from the hash-pinned requirement files."""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from devservices.console import DevError
from devservices.places import ROOT
from devservices.processes import run_logged

REQUIREMENTS = ROOT / "requirements"


class Environment:
    """One virtual environment and what was installed into it."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.folder, self.log = folder, log
        self.python = folder / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        return next(self.folder.glob("lib/python3.*/site-packages"))

    def missing(self, groups: Sequence[str]) -> list[str]:
        return [group for group in groups if not self._is_installed(group)]

    def install(self, groups: Sequence[str]) -> None:
        """What is there already is left alone, so that a second start takes no time."""
        if not self.missing(groups):
            return
        with self._locked():  # two dev.py at once: the second finds the work done
            self._make()
            missing = self.missing(groups)
            if missing:
                self._pip_install(missing)

    def _is_installed(self, group: str) -> bool:
        return self.python.exists() and self._stamp(group).exists()

    def _stamp(self, group: str) -> Path:
        digest = hashlib.sha256((REQUIREMENTS / f"{group}.txt").read_bytes()).hexdigest()
        return self.folder / f".installed-{group}-{digest[:16]}"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with open(self.folder.with_suffix(".lock"), "a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _make(self) -> None:
        if self.python.exists() and any(self.folder.glob(".made")):
            return
        command = [sys.executable, "-m", "venv", "--clear", str(self.folder)]
        if importlib.util.find_spec("ensurepip") is None:  # Debian without python3-venv
            command.insert(-1, "--without-pip")
        sentence = f"The virtual environment {self.folder} could not be made."
        run_logged(command, self.log, sentence=sentence)
        (self.folder / ".made").touch()  # an interrupted one has none and is made anew

    def _pip(self) -> list[str | Path]:
        if any(self.site_packages.glob("pip")):
            return [self.python, "-m", "pip"]
        if importlib.util.find_spec("pip") is None:
            raise DevError("Python has no pip; on Debian: apt-get install python3-venv.")
        return [sys.executable, "-m", "pip", "--python", self.python]

    def _pip_install(self, groups: Sequence[str]) -> None:
        files = [word for g in groups for word in ("-r", str(REQUIREMENTS / f"{g}.txt"))]
        command = [
            *self._pip(), "install", "--disable-pip-version-check", "--no-input",
            "--require-hashes", *files,
        ]  # fmt: skip
        sentence = f"The packages of {', '.join(groups)} could not be installed."
        clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
        run_logged(command, self.log, sentence=sentence, environment=clean)
        for group in groups:
            self._stamp(group).touch()


def application_environment(log: Path) -> Environment:
    return Environment(ROOT / ".venv", log)


def tryton_environment(log: Path) -> Environment:
    """Of its own: Tryton's dependencies and its licence are not ours."""
    return Environment(ROOT / ".venv-tryton", log)


def uv_environment(log: Path) -> Environment:
    return Environment(ROOT / ".venv-pin", log)


def index_settings() -> dict[str, str]:
    """uv does not read pip's settings, so a mirror that pip uses is passed on."""
    settings = {}
    if "PIP_INDEX_URL" in os.environ:
        settings["UV_DEFAULT_INDEX"] = os.environ["PIP_INDEX_URL"]
    pip = shutil.which("pip") or shutil.which("pip3")
    for name, variable in (
        ("index-url", "UV_DEFAULT_INDEX"),
        ("cert", "SSL_CERT_FILE"),
    ):
        command = [pip or "pip", "config", "get", f"global.{name}"]
        with contextlib.suppress(OSError):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode == 0:
                settings[variable] = done.stdout.strip()
    return settings


if __name__ == "__main__":  # the Tryton environment, beside everything else
    tryton_environment(Path(sys.argv[1])).install(["tryton"])
