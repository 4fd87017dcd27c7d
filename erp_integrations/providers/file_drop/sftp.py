"""Files of an SFTP server: its key is pinned, its address vetted, and every wait is bounded."""

import base64
import contextlib
import hashlib
import io
import re
import socket
import stat
from collections.abc import Iterator, Mapping
from typing import IO, NamedTuple, Self

import msgspec
import paramiko

from erp_integrations.providers.connections import is_public
from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ProtocolError,
    TransientError,
)

CONNECT_SECONDS, ANSWER_SECONDS = 10.0, 30.0
#: files of one folder that are looked at
MOST_FILES = 5000
CHUNK = 256 * 1024
FINGERPRINT = re.compile(r"(?:SHA256:)?([A-Za-z0-9+/]{43})=?")
_KEY = re.compile(r"(-----BEGIN [A-Z ]+-----)(.+)(-----END [A-Z ]+-----)", re.DOTALL)
_KINDS: tuple[type[paramiko.PKey], ...] = (
    paramiko.Ed25519Key,
    paramiko.ECDSAKey,
    paramiko.RSAKey,
)


class SftpPlace(msgspec.Struct, frozen=True):
    """Where the files are, and how to sign in."""

    host: str
    port: int
    user: str
    #: of the server's key: 43 letters of base64, as OpenSSH writes them
    fingerprint: str
    folder: str
    password: str
    key: str
    deletes: bool
    allow_private: bool

    def __repr__(self) -> str:
        return f"SftpPlace({self.user}@{self.host}:{self.port})"


class RemoteFile(NamedTuple):
    """``modified`` in seconds, as the server tells it."""

    name: str
    size: int
    modified: int


def sftp_of(
    settings: Mapping[str, str], credentials: Mapping[str, str], *, allow_private: bool
) -> SftpPlace | None:
    """What was typed, checked; None where there is no server. Raises ``ConfigurationError``."""
    host, port = _host(settings.get("sftp_host", "").strip())
    after = settings.get("sftp_after", "").strip().lower() or "keep"
    if after not in ("keep", "delete"):
        raise ConfigurationError("Enter keep or delete for files that were fetched by SFTP.")
    if not host:
        return None
    user = settings.get("sftp_user", "").strip()
    password, key = credentials.get("sftp_password", ""), credentials.get("sftp_key", "")
    if not user or not (password or key):
        raise ConfigurationError("Enter the SFTP user, and a password or a private key for it.")
    found = FINGERPRINT.fullmatch(settings.get("sftp_fingerprint", "").strip())
    if found is None:
        raise ConfigurationError(NO_FINGERPRINT)
    if key:
        _private_key(key)
    if not allow_private and _is_private(host):
        raise ConfigurationError(PRIVATE.format(host=host))
    return SftpPlace(
        host, port, user, found[1], settings.get("sftp_folder", "").strip() or ".",
        password, key, after == "delete", allow_private,
    )  # fmt: skip


class Sftp:
    """A sign-in, for the time of a ``with``. Errors are those of ``providers/errors.py``."""

    def __init__(self, place: SftpPlace) -> None:
        self._place = place
        self._transport: paramiko.Transport | None = None
        self._client: paramiko.SFTPClient | None = None

    def __enter__(self) -> Self:
        try:
            self._sign_in(_connected(self._place))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._transport is not None:
            self._transport.close()

    def files(self) -> list[RemoteFile]:
        """The plain files of the folder. Raises ``ConfigurationError`` where there is no folder."""
        with self._answers():
            found = self._sftp.listdir_attr(self._place.folder)
        plain = [
            each
            for each in found
            if each.st_mode is not None
            and stat.S_ISREG(each.st_mode)
            and each.filename == each.filename.replace("\\", "/").rpartition("/")[2]
        ]
        listed = [RemoteFile(it.filename, it.st_size or 0, it.st_mtime or 0) for it in plain]
        return sorted(listed)[:MOST_FILES]

    def fetch(self, file: RemoteFile, into: IO[bytes], *, limit: int) -> None:
        """Raises ``TransientError`` where it changed meanwhile, or is longer than ``limit``."""
        with self._answers():
            with self._sftp.open(self._path(file), "rb") as there:
                there.settimeout(ANSWER_SECONDS)
                there.prefetch(file.size)
                count = 0
                while chunk := there.read(CHUNK):
                    count += len(chunk)
                    if count > limit:
                        break
                    into.write(chunk)
            now = self._sftp.stat(self._path(file))
        if (now.st_size, now.st_mtime) != (file.size, file.modified) or count != file.size:
            raise TransientError(f"{file.name} changed while it was fetched.")

    def delete(self, file: RemoteFile) -> None:
        with self._answers():
            self._sftp.remove(self._path(file))

    @property
    def _sftp(self) -> paramiko.SFTPClient:
        if self._client is None:
            raise TransientError(AWAY.format(host=self._place.host))
        return self._client

    def _path(self, file: RemoteFile) -> str:
        return f"{self._place.folder.rstrip('/')}/{file.name}"

    def _sign_in(self, connected: socket.socket) -> None:
        place = self._place
        transport = self._transport = paramiko.Transport(connected)
        transport.banner_timeout = transport.auth_timeout = ANSWER_SECONDS
        transport.handshake_timeout = transport.channel_timeout = ANSWER_SECONDS
        with self._answers():
            transport.start_client(timeout=ANSWER_SECONDS)
            shown = fingerprint_of(transport.get_remote_server_key())
            if shown != place.fingerprint:
                raise ConfigurationError(OTHER_KEY.format(host=place.host, shown=shown))
            if place.key:
                transport.auth_publickey(place.user, _private_key(place.key))
            else:
                transport.auth_password(place.user, place.password, fallback=False)
            self._client = transport.open_sftp_client()
            channel = self._sftp.get_channel()
            if channel is not None:
                channel.settimeout(ANSWER_SECONDS)

    @contextlib.contextmanager
    def _answers(self) -> Iterator[None]:
        """What can go wrong on the way, in the words of ``providers/errors.py``."""
        host = self._place.host
        try:
            yield
        except paramiko.AuthenticationException as error:
            raise AuthenticationError(REFUSED.format(host=host, user=self._place.user)) from error
        except FileNotFoundError as error:
            raise ConfigurationError(NO_FOLDER.format(host=host, it=self._place.folder)) from error
        except PermissionError as error:
            raise ConfigurationError(NO_RIGHT.format(host=host, it=self._place.folder)) from error
        except paramiko.SFTPError as error:
            raise ProtocolError(f"{host} answers oddly over SFTP.", detail=str(error)) from error
        except (paramiko.SSHException, TimeoutError, EOFError, OSError) as error:
            raise TransientError(AWAY.format(host=host), detail=str(error)) from error


def fingerprint_of(key: paramiko.PKey) -> str:
    """As OpenSSH writes it, without ``SHA256:`` in front."""
    return base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")


def _connected(place: SftpPlace) -> socket.socket:
    """One look-up, its addresses vetted, and a connection to one of these very addresses."""
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        if isinstance(error, UnicodeError) or error.errno == socket.EAI_NONAME:
            raise ConfigurationError(f"There is no server called {place.host}.") from error
        raise TransientError(AWAY.format(host=place.host), detail=str(error)) from error
    if not place.allow_private and not all(is_public(str(each[4][0])) for each in found):
        raise ConfigurationError(PRIVATE.format(host=place.host))
    problem: OSError | None = None
    for family, kind, protocol, _, address in found:
        connecting = socket.socket(family, kind, protocol)
        connecting.settimeout(CONNECT_SECONDS)
        try:
            connecting.connect(address)
        except OSError as error:
            problem = error
            connecting.close()
        else:
            return connecting
    raise TransientError(AWAY.format(host=place.host), detail=str(problem))


def _host(text: str) -> tuple[str, int]:
    """``files.example.com:2222``, or an IPv6 address in brackets."""
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/@\[\]]*))(?::(\d{1,5}))?", text)
    port = int(found[3] or 22) if found else 0
    if found is None or not 0 < port < 65536:
        raise ConfigurationError("Enter the SFTP server as files.example.com or with :port.")
    return found[1] or found[2] or "", port


def _is_private(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not is_public(host)
    except ValueError:
        return False


def _private_key(text: str) -> paramiko.PKey:
    """From what was pasted, also where the line breaks were lost. Raises ``ConfigurationError``."""
    found = _KEY.search(text.strip())
    if found:
        body = re.sub(r"\s+", "", found[2])
        lines = "\n".join(body[start : start + 64] for start in range(0, len(body), 64))
        text = f"{found[1]}\n{lines}\n{found[3]}\n"
        for kind in _KINDS:
            with contextlib.suppress(paramiko.SSHException, ValueError, IndexError):
                return kind.from_private_key(io.StringIO(text))
    raise ConfigurationError(NO_KEY)


NO_FINGERPRINT = (
    "Enter the fingerprint of the SFTP server's key, as SHA256:… with 43 letters behind. Its "
    "operator knows it; without it nobody can tell the server from an impostor."
)
OTHER_KEY = (
    "{host} shows another key than the one that was entered: SHA256:{shown}. Ask its operator "
    "whether that is right before you enter it; nothing was sent to it."
)
REFUSED = "{host} does not let {user} in. Enter the password or the key anew."
NO_FOLDER = "{host} has no folder {it}, or the file is gone."
NO_RIGHT = "{host} does not let us read in {it}."
AWAY = "{host} does not answer over SFTP."
PRIVATE = (
    "{host} lies inside a private network. The operator of this server can allow such addresses "
    "with ERP_PRIVATE_ADDRESSES."
)
NO_KEY = (
    "The private key cannot be read. Paste all of it, from -----BEGIN to END-----, and without a "
    "passphrase; Ed25519, ECDSA and RSA are known."
)
