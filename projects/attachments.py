"""Files that people attach: what they may be, how they are kept, and how they are given back.

What a file is, is told from its content and not from its name.
"""

import hashlib
import io
import secrets
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import filetype
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import FileResponse

from projects.models.attachment import AttachedFile

OFFICE = "application/vnd.openxmlformats-officedocument"
#: what is accepted: the content's type → the endings its name may have
ENDINGS = {
    "application/pdf": (".pdf",),
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/webp": (".webp",),
    "image/tiff": (".tif", ".tiff"),
    f"{OFFICE}.wordprocessingml.document": (".docx",),
    f"{OFFICE}.spreadsheetml.sheet": (".xlsx",),
    "text/csv": (".csv",),
    "text/plain": (".txt",),
}
#: the part that says which kind of document a zip file is
_OFFICE_PARTS = {
    "word/document.xml": f"{OFFICE}.wordprocessingml.document",
    "xl/workbook.xml": f"{OFFICE}.spreadsheetml.sheet",
}

EMPTY = "“{name}” is empty. Choose the file again."
TOO_LARGE = "“{name}” is larger than {limit} MB. Make it smaller or split it."
NOT_ALLOWED = (
    "“{name}” cannot be attached. Attach a PDF, a picture (PNG, JPG, WebP, TIFF), a Word or Excel "
    "file (docx, xlsx), or plain text (csv, txt)."
)


@dataclass(frozen=True)
class AcceptedFile:
    """A file that may be stored, with a name that is safe to show."""

    name: str
    content: bytes
    content_type: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def accept(upload: "UploadedFile[Any]") -> AcceptedFile:
    """The file, read and checked. Raises ``ValidationError`` with what to do instead."""
    limit = settings.ATTACHMENT_MAX_BYTES
    shown = display_name(upload.name or "")
    content = upload.read(limit + 1)
    if not content:
        raise ValidationError(EMPTY.format(name=shown))
    if len(content) > limit:
        raise ValidationError(TOO_LARGE.format(name=shown, limit=limit // (1024 * 1024)))
    content_type = sniffed_type(content, shown)
    if content_type is None:
        raise ValidationError(NOT_ALLOWED.format(name=shown))
    return AcceptedFile(_with_ending(shown, content_type), content, content_type)


def sniffed_type(content: bytes, name: str) -> str | None:
    """One of the accepted types; None for everything else."""
    guessed = filetype.guess_mime(content)
    if guessed in ENDINGS and not guessed.startswith(OFFICE):
        return str(guessed)
    if content.startswith(b"PK"):
        return _office_type(content)
    if guessed is None and _is_plain_text(content):
        return "text/csv" if name.lower().endswith(".csv") else "text/plain"
    return None


def _office_type(content: bytes) -> str | None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = set(archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return None
    if "[Content_Types].xml" not in parts:
        return None
    return next((kind for part, kind in _OFFICE_PARTS.items() if part in parts), None)


def _is_plain_text(content: bytes) -> bool:
    """UTF-8 without control characters that does not begin like a page or a script."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    if text.lstrip().startswith(("<", "#!", "%!")):
        return False
    return not any(ord(each) < 32 and each not in "\t\n\r\f" for each in text)


def display_name(name: str) -> str:
    """The last part of the name without control or direction marks, 120 characters at most."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(each for each in last if unicodedata.category(each)[0] != "C")
    path = PurePosixPath(" ".join(kept.split()).strip(". ") or "attachment")
    return f"{path.stem[:110]}{path.suffix[:10]}"


def _with_ending(name: str, content_type: str) -> str:
    """The name, ending as its content does, so that it opens in the right program."""
    endings = ENDINGS[content_type]
    return name if name.lower().endswith(endings) else f"{name}{endings[0]}"


def stored_name() -> str:
    """A name on disk that nobody can guess and that says nothing."""
    return secrets.token_hex(16)


@contextmanager
def kept(attachment: AttachedFile, upload: "UploadedFile[Any]") -> Iterator[AttachedFile]:
    """Store the file, and the row that stands for it; neither stays when the block fails.

    Raises ``ValidationError`` for a file that may not be attached.
    """
    accepted = accept(upload)
    attachment.name, attachment.content_type = accepted.name, accepted.content_type
    attachment.size, attachment.sha256 = len(accepted.content), accepted.sha256
    attachment.file.save(stored_name(), ContentFile(accepted.content), save=False)
    try:
        attachment.save(force_insert=True)
        yield attachment
    except BaseException:
        attachment.file.delete(save=False)
        raise


def forget(attachment: AttachedFile) -> None:
    """Delete the file itself once it is certain that its row is gone."""
    storage, name = attachment.file.storage, attachment.file.name
    if name:
        transaction.on_commit(lambda: storage.delete(name))


def as_download(attachment: AttachedFile) -> FileResponse:
    """The file, never as a page: a browser runs nothing that somebody attached."""
    response = FileResponse(
        attachment.file.open("rb"),
        as_attachment=True,
        filename=attachment.name,
        content_type=attachment.content_type,
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
