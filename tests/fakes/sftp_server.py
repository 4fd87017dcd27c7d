"""An SFTP server in this process: a folder, a user, and everything it was asked."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko
from paramiko import common, sftp

from erp_integrations.providers.file_drop.sftp import fingerprint_of


class FakeSftp:
    """``folder`` is what it shows; ``sign_ins`` are the tries, good and bad."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = paramiko.ECDSAKey.generate()
        self.user, self.password = "northstar", "a secret"
        self.public_key: paramiko.PKey | None = None
        self.sign_ins: list[str] = []
        #: written to a file while it is fetched
        self.grows: bytes = b""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._transports: list[paramiko.Transport] = []
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def fingerprint(self) -> str:
        return f"SHA256:{fingerprint_of(self.key)}"

    @property
    def settings(self) -> dict[str, str]:
        return {
            "sftp_host": f"127.0.0.1:{self.port}",
            "sftp_user": self.user,
            "sftp_fingerprint": self.fingerprint,
            "sftp_folder": "/out",
        }

    def close(self) -> None:
        self._listening.close()
        for transport in self._transports:
            transport.close()

    def _serve(self) -> None:
        while True:
            try:
                connected, _ = self._listening.accept()
            except OSError:
                return
            transport = paramiko.Transport(connected)
            self._transports.append(transport)
            transport.add_server_key(self.key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, fake=self)
            try:
                transport.start_server(server=_Door(self))
            except (paramiko.SSHException, EOFError):
                continue


class _Door(paramiko.ServerInterface):
    def __init__(self, fake: FakeSftp) -> None:
        self._fake = fake

    def check_auth_password(self, username: str, password: str) -> int:
        self._fake.sign_ins.append(password)
        is_right = (username, password) == (self._fake.user, self._fake.password)
        return common.AUTH_SUCCESSFUL if is_right else common.AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self._fake.sign_ins.append("key")
        is_right = username == self._fake.user and key == self._fake.public_key
        return common.AUTH_SUCCESSFUL if is_right else common.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return common.OPEN_SUCCEEDED

    def get_allowed_auths(self, username: str) -> str:
        return "password,publickey"


class _Files(paramiko.SFTPServerInterface):
    def __init__(self, server: paramiko.ServerInterface, *, fake: FakeSftp) -> None:
        self._fake = fake
        super().__init__(server)

    def _path(self, path: str) -> Path:
        return self._fake.folder / path.lstrip("/").removeprefix("out").lstrip("/")

    def list_folder(self, path: str) -> list[paramiko.SFTPAttributes] | int:
        if not path.startswith("/out"):
            return sftp.SFTP_NO_SUCH_FILE
        return [
            paramiko.SFTPAttributes.from_stat(os.lstat(each), each.name)
            for each in self._path(path).iterdir()
        ]

    def stat(self, path: str) -> paramiko.SFTPAttributes | int:
        try:
            return paramiko.SFTPAttributes.from_stat(os.stat(self._path(path)))
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    def open(
        self, path: str, flags: int, attr: paramiko.SFTPAttributes
    ) -> paramiko.SFTPHandle | int:
        handle = paramiko.SFTPHandle(flags)
        handle.readfile = self._path(path).open("rb")  # type: ignore[attr-defined]
        if self._fake.grows:
            with self._path(path).open("ab") as growing:
                growing.write(self._fake.grows)
        return handle

    def remove(self, path: str) -> int:
        self._path(path).unlink()
        return sftp.SFTP_OK


@contextmanager
def sftp_server(folder: Path) -> Iterator[FakeSftp]:
    fake = FakeSftp(folder)
    try:
        yield fake
    finally:
        fake.close()
