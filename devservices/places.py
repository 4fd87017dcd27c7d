"""Where things are: the checkout, its virtual environments, and the data folder."""

import fcntl
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devservices.console import DevError
from devservices.processes import MARK, end_leftovers

ROOT = Path(__file__).resolve().parent.parent
LONGEST_SOCKET_FOLDER = 80  # a socket's whole path may have 107 bytes


@dataclass(frozen=True)
class DataFolder:
    """Everything that ``dev.py`` keeps between two starts."""

    path: Path

    @classmethod
    def at(cls, path: Path) -> "DataFolder":
        """Made if missing, and readable by its owner only where it holds secrets."""
        folder = cls(Path(os.path.abspath(path)))
        try:
            folder.logs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DevError(f"{path} cannot be used as the data folder: {error.strerror}.") from None
        return folder

    @property
    def mark(self) -> str:
        """A short name of this folder, for processes and places that belong to it."""
        return hashlib.sha256(str(self.path).encode()).hexdigest()[:12]

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def run_file(self) -> Path:
        return self.path / "run.json"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def sockets(self) -> Path:
        """A folder for unix sockets whose path is short and needs no quoting in a URL."""
        folder = self.path / "sockets"
        safe = re.fullmatch(r"[A-Za-z0-9_./-]+", str(folder))
        if not safe or len(str(folder)) > LONGEST_SOCKET_FOLDER:
            temporary = Path(tempfile.gettempdir())
            folder = temporary / f"procore-sync-{os.geteuid()}-{self.mark}"
        folder.mkdir(mode=0o711, exist_ok=True)
        if folder.stat().st_uid != os.geteuid() or folder.is_symlink():
            raise DevError(f"{folder} belongs to somebody else; remove it or set TMPDIR.")
        folder.chmod(0o711)  # whatever the umask was
        return folder

    @contextmanager
    def locked(self) -> Iterator[bool]:
        """Whether nobody else uses this folder; if so, what is started meanwhile ends with it.

        The lock goes with the process, however it ends, and the next to hold it ends what the
        last one left.
        """
        with (self.path / "lock").open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            os.environ[MARK] = self.mark
            end_leftovers(self.mark)
            try:
                yield True
            finally:
                end_leftovers(self.mark)
                del os.environ[MARK]

    def write_private(self, name: str, content: dict[str, Any]) -> None:
        """For the owner's eyes only, and never half-written."""
        path = self.path / name
        partial = path.with_suffix(".part")
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            json.dump(content, stream, indent=1)
        partial.replace(path)

    def read(self, name: str) -> dict[str, Any]:
        try:
            content: dict[str, Any] = json.loads((self.path / name).read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            sentence = f"{self.path / name} cannot be read; `dev.py reset` starts from nothing."
            raise DevError(sentence) from None
        return content
