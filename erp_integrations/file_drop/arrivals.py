"""Files that nobody uploads: looked for in a folder of this server and on an SFTP server.

A file is taken once it was seen twice with the same size and time, so that one
that is being written stays where it is. What was taken is remembered by name,
size, time and hash; on SFTP it is deleted only where that is switched on.
"""

import hashlib
import json
import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from stat import S_ISREG
from typing import IO, NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection as database
from django.utils import timezone
from kombu.exceptions import KombuError, OperationalError

from erp_integrations.file_drop import services
from erp_integrations.matching import LOCK_SPACE
from erp_integrations.models import (
    ErpConnection,
    FileSighting,
    FileSource,
    WatchedPlace,
)
from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ErpError,
    TransientError,
)
from erp_integrations.providers.file_drop.sftp import RemoteFile, Sftp, SftpPlace, sftp_of
from erp_integrations.providers.registry import find_provider

log = logging.getLogger(__name__)

#: how long a file has to stay as it is
QUIET = timedelta(seconds=30)
#: names of files that somebody still writes, or that no person made
UNFINISHED = (".part", ".tmp", ".temp", ".filepart", ".crdownload", ".partial", ".writing")
#: the first key of the lock that keeps two workers from looking at once
LOOKING = LOCK_SPACE + 2
#: files that are taken in one look; the next look takes the others
AT_ONCE = 50
SECONDS = 10 * 60


class Place(NamedTuple):
    """One place of one connection, while it is looked at."""

    source: FileSource
    files: Callable[[], Sequence[RemoteFile]]
    fetch: Callable[[RemoteFile, IO[bytes]], None]
    finished: Callable[[RemoteFile], None]


def watching() -> list[int]:
    """Connections that have a place to look at."""
    found = ErpConnection.objects.filter(is_active=True).exclude(settings={})
    return [
        each.pk
        for each in found.only("provider", "settings")
        if (provider := find_provider(each.provider)) and provider.wants_statements
        if each.settings.get("folder") or each.settings.get("sftp_host")
    ]


def look(connection_id: int, *, again: bool = False) -> None:
    """Look at every place once and take what has come.

    ``again``: somebody asked, so places that refused us are tried once more.
    """
    connection = ErpConnection.objects.select_related("company").get(pk=connection_id)
    with _only_one(connection_id) as is_mine:
        if not is_mine or not connection.is_active:
            return
        if connection.settings.get("folder"):
            _look_at(connection, FileSource.FOLDER, _in_folder, again=again)
        if connection.settings.get("sftp_host"):
            _look_at(connection, FileSource.SFTP, _on_sftp, again=again)


def ring_for(connection_id: int) -> None:
    """Have a worker look now; without a broker the scheduler's next look does."""
    from erp_integrations.tasks import look_for_files_of

    try:
        look_for_files_of.delay(connection_id, again=True)
    except (OperationalError, KombuError, OSError) as error:
        log.warning("places of %s are looked at later: %s", connection_id, error)


def folder_of(connection: ErpConnection) -> Path:
    """The watched folder. Raises ``ConfigurationError`` where it is none of this company's."""
    if not settings.FILE_DROP_FOLDER:
        raise ConfigurationError(NO_FOLDERS)
    own: Path = Path(settings.FILE_DROP_FOLDER, str(connection.company_id)).resolve()
    wanted: Path = (own / connection.settings.get("folder", "").strip()).resolve()
    if not wanted.is_relative_to(own):
        raise ConfigurationError(OUTSIDE)
    if not wanted.is_dir():
        raise ConfigurationError(MISSING.format(name=wanted.relative_to(own.parent)))
    return wanted


def _look_at(
    connection: ErpConnection,
    source: FileSource,
    opened: Callable[[ErpConnection], AbstractContextManager[Place]],
    *,
    again: bool,
) -> None:
    now, digest = timezone.now(), _settings_digest(connection)
    watched, _ = WatchedPlace.objects.get_or_create(
        connection=connection,
        source=source,
        defaults={"company_id": connection.company_id, "looked_at": now},
    )
    if watched.refused_with == digest and not again:
        return
    watched.looked_at, watched.trouble, watched.refused_with = now, "", ""
    try:
        with opened(connection) as place:
            _take_what_came(connection, watched, place)
    except ErpError as error:
        log.warning("looking at %s: %s %s", watched, error, error.detail)
        watched.trouble = str(error)[:500]
        if isinstance(error, AuthenticationError | ConfigurationError):
            watched.refused_with = digest  # knocking every minute would lock the account
    watched.save(update_fields=["looked_at", "trouble", "refused_with"])


def _take_what_came(connection: ErpConnection, watched: WatchedPlace, place: Place) -> None:
    ends = time.monotonic() + SECONDS
    known = {each.name: each for each in watched.sightings.all()}
    listed = [file for file in place.files() if _is_finished_name(file.name)]
    ready = [file for file in listed if _stays(watched, known.get(file.name), file)]
    for file in ready[:AT_ONCE]:
        if time.monotonic() > ends:
            break
        try:
            _take(connection, watched, place, file)
        except TransientError as error:  # it changed under our hands: it is not finished
            log.info("%s is not taken yet: %s", file.name, error)


def _stays(watched: WatchedPlace, seen: FileSighting | None, file: RemoteFile) -> bool:
    """Whether it is as it was when it was seen before, and was not taken then."""
    now = timezone.now()
    if seen and (seen.size, seen.modified) == (file.size, file.modified):
        return not seen.is_taken and now - seen.seen_at >= QUIET
    FileSighting.objects.update_or_create(
        place=watched,
        name=file.name[:255],
        defaults={
            "company_id": watched.company_id,
            "size": file.size,
            "modified": file.modified,
            "seen_at": now,
            "sha256": "",
            "is_taken": False,
        },
    )
    return False


def _take(connection: ErpConnection, watched: WatchedPlace, place: Place, file: RemoteFile) -> None:
    with tempfile.TemporaryFile() as content:
        place.fetch(file, content)
        digest = _hash(content)
        mine = FileSighting.objects.filter(place=watched, name=file.name[:255])
        if not mine.filter(sha256=digest).exists():
            _receive(connection, watched, file, content, digest)
        mine.update(is_taken=True, sha256=digest)
    place.finished(file)


def _receive(
    connection: ErpConnection,
    watched: WatchedPlace,
    file: RemoteFile,
    content: IO[bytes],
    digest: str,
) -> None:
    source = FileSource(watched.source)
    try:
        services.receive(connection=connection, content=content, name=file.name, source=source)
    except ValidationError as error:
        services.remember(
            connection=connection,
            name=file.name,
            size=file.size,
            sha256=digest,
            source=source,
            why=" ".join(error.messages),
        )


def _hash(content: IO[bytes]) -> str:
    content.seek(0)
    digest = hashlib.sha256()
    while chunk := content.read(services.CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _is_finished_name(name: str) -> bool:
    return (
        len(name) <= 255
        and not name.startswith((".", "~$"))
        and not name.lower().endswith(UNFINISHED)
    )


@contextmanager
def _in_folder(connection: ErpConnection) -> Iterator[Place]:
    folder = folder_of(connection)

    def files() -> list[RemoteFile]:
        """Plain files only: a link could lead anywhere."""
        found = []
        for entry in folder.iterdir():
            facts = entry.lstat()
            if S_ISREG(facts.st_mode):
                found.append(RemoteFile(entry.name, facts.st_size, int(facts.st_mtime)))
        return sorted(found)

    def fetch(file: RemoteFile, into: IO[bytes]) -> None:
        path = folder / file.name
        with path.open("rb") as there:
            _copy(there, into)
        facts = path.lstat()
        if (facts.st_size, int(facts.st_mtime)) != (file.size, file.modified):
            raise TransientError(f"{file.name} changed while it was read.")

    try:
        yield Place(FileSource.FOLDER, files, fetch, lambda file: None)
    except OSError as error:
        raise ConfigurationError(UNREADABLE, detail=str(error)) from error


@contextmanager
def _on_sftp(connection: ErpConnection) -> Iterator[Place]:
    there = _sftp_place(connection)
    with Sftp(there) as sftp:
        yield Place(
            FileSource.SFTP,
            sftp.files,
            lambda file, into: sftp.fetch(file, into, limit=settings.FILE_DROP_MAX_BYTES),
            sftp.delete if there.deletes else lambda file: None,
        )


def _sftp_place(connection: ErpConnection) -> SftpPlace:
    found = sftp_of(
        connection.settings,
        connection.credentials.reveal(),
        allow_private=settings.ERP_PRIVATE_ADDRESSES,
    )
    if found is None:
        raise ConfigurationError("No SFTP server is set up.")
    return found


def _copy(there: IO[bytes], into: IO[bytes]) -> None:
    """One byte more than allowed, at the most: the size is judged later, with a sentence."""
    left = settings.FILE_DROP_MAX_BYTES + 1
    while left > 0 and (chunk := there.read(min(services.CHUNK, left))):
        into.write(chunk)
        left -= len(chunk)


def _settings_digest(connection: ErpConnection) -> str:
    content = json.dumps(connection.settings, sort_keys=True).encode()
    return hashlib.blake2b(content + connection.credentials.token, digest_size=16).hexdigest()


@contextmanager
def _only_one(connection_id: int) -> Iterator[bool]:
    """A lock that goes away with its worker; no transaction is open while files are fetched."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOOKING, connection_id])
        (is_mine,) = cursor.fetchone()
    try:
        yield bool(is_mine)
    finally:
        if is_mine:
            with database.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOOKING, connection_id])


NO_FOLDERS = (
    "No folders are watched on this server: its operator has to set FILE_DROP_FOLDER first."
)
OUTSIDE = "The watched folder has to lie inside this company's own folder."
MISSING = "There is no folder {name} below the one that FILE_DROP_FOLDER names."
UNREADABLE = "The watched folder cannot be read. Its operator has to give this program the right."
