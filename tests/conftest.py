"""What all tests share."""

import importlib.util
import socket
from typing import Any

import pytest

#: dev.py installs the browser's driver with the group that needs it
collect_ignore = [] if importlib.util.find_spec("playwright") else ["browser"]

_connect = socket.socket.connect


@pytest.fixture(autouse=True)
def sockets_reach_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that a test does may leave this machine."""

    def connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"A test tried to reach {address}.")
        _connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
