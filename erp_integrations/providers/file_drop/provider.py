"""Files as a set of books: what they state is stored here, and read like any ERP's pages."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import ClassVar

from erp_integrations.providers.contract import (
    Capabilities,
    ConnectionField,
    Cursor,
    Page,
    Provider,
    RemoteBill,
    RemotePayment,
    Statements,
)
from erp_integrations.providers.days import first_moment_of
from erp_integrations.providers.errors import ConfigurationError, RecordNotFound
from erp_integrations.providers.file_drop.sftp import Sftp, SftpPlace, sftp_of

NO_STATEMENTS = "Files are read by this installation only; there is nothing to ask here."


class FileDropProvider(Provider):
    """Reads payments that files stated; ``check`` proves the way to the SFTP server."""

    code: ClassVar[str] = "file_drop"
    label: ClassVar[str] = "File drop"
    needs: ClassVar[str] = (
        "Needs: files of payments, uploaded here, from a watched folder, or by SFTP."
    )
    wants_statements: ClassVar[bool] = True
    capabilities: ClassVar[Capabilities] = Capabilities(
        pending=False, sweep=False, overlap_seconds=0, time_resolution_seconds=0.000001
    )
    fields: ClassVar[Sequence[ConnectionField]] = (
        ConnectionField(
            "folder",
            "Watched folder",
            "A folder inside this company's own folder on the server, or . for that one itself. "
            "Empty: none is watched. docs/file-drop.md tells where it is.",
            is_required=False,
        ),
        ConnectionField(
            "sftp_host",
            "SFTP server",
            "Its name, with :port if that is not 22, e.g. files.example.com. Empty: none.",
            is_required=False,
        ),
        ConnectionField("sftp_user", "SFTP user", "Who signs in there.", is_required=False),
        ConnectionField(
            "sftp_fingerprint",
            "Fingerprint of the SFTP server's key",
            "As its operator tells it, e.g. SHA256:nThbg6kX… A server with another key is refused.",
            is_required=False,
        ),
        ConnectionField(
            "sftp_folder",
            "Folder on the SFTP server",
            "Where the files are, e.g. /outgoing. Empty: where the user begins.",
            is_required=False,
        ),
        ConnectionField(
            "sftp_after",
            "Files that were fetched",
            "keep, or delete. Empty: they are kept where they are.",
            is_required=False,
        ),
        ConnectionField(
            "sftp_password", "SFTP password", "", secret=True, is_required=False,
        ),
        ConnectionField(
            "sftp_key",
            "SFTP private key",
            "Instead of a password: an Ed25519 or ECDSA key without passphrase, from its first "
            "line to its last.",
            secret=True,
            is_required=False,
            has_lines=True,
        ),
    )  # fmt: skip
    #: where files come from may change; the books stay the same
    ways: ClassVar[frozenset[str]] = frozenset(each.name for each in fields)

    def __init__(
        self,
        settings: Mapping[str, str],
        credentials: Mapping[str, str],
        *,
        allow_private_addresses: bool = False,
        statements: Statements | None = None,
        page_size: int | None = None,
    ) -> None:
        self._sftp: SftpPlace | None = sftp_of(
            settings, credentials, allow_private=allow_private_addresses
        )
        self._statements = statements
        self._page_size = page_size or self.capabilities.page_size

    @property
    def statements(self) -> Statements:
        if self._statements is None:
            raise ConfigurationError(NO_STATEMENTS)
        return self._statements

    def close(self) -> None:
        """Nothing is kept open between questions."""

    def check(self) -> str:
        if self._sftp is None:
            return f"{self.label}: files can be uploaded. No SFTP server is set up."
        with Sftp(self._sftp) as there:
            count = len(there.files())
        return f"{self.label}: {self._sftp.host} let us in and shows {count} files."

    def pages(self, cursor: Cursor | None, *, resume: bool = False) -> Iterator[Page]:
        row = int((cursor or {}).get("row", 0))
        while True:
            found = self.statements.after(row, self._page_size)
            row = found[-1][0] if found else row
            yield Page([payment for _, payment in found], (), {"row": row})
            if len(found) < self._page_size:
                return

    def payment(self, remote_id: str) -> RemotePayment:
        found = self.statements.newest(remote_id)
        if found is None:
            raise RecordNotFound(f"No file has told of payment {remote_id}.")
        return found

    def bills(self, remote_ids: Sequence[str] | None = None) -> Iterator[RemoteBill]:
        return iter(self.statements.bills(remote_ids))

    def cursor_since(self, day: date) -> Cursor:
        return {"row": self.statements.before(first_moment_of(day))}
