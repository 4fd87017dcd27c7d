"""What the pages of files show."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from erp_integrations.file_drop import mappings
from erp_integrations.file_drop.forms import ColumnsForm, LayoutForm
from erp_integrations.file_drop.mappings import Sample
from erp_integrations.file_drop.starting_points import starting_point_of
from erp_integrations.file_drop.tables import EXCEL, Broken, NotATable, sheets_of
from erp_integrations.models import (
    DroppedFile,
    ErpConnection,
    FileSource,
    FileState,
    WatchedPlace,
)
from erp_integrations.providers.contract import RemoteMethod
from erp_integrations.providers.file_drop.amounts import DecimalMark
from erp_integrations.providers.file_drop.columns import places
from erp_integrations.providers.file_drop.dates import DateOrder
from erp_integrations.providers.file_drop.rows import Line, Reading, line_of
from payments.models import PaymentMethod

SHOWN_ROWS, SHOWN_CELLS = 10, 30
TONES = {
    FileState.ASKING: "warn",
    FileState.READY: "info",
    FileState.READ: "info",
    FileState.REPEATED: "muted",
    FileState.REFUSED: "bad",
}


@dataclass(frozen=True)
class FileEntry:
    """A file in the list."""

    file: DroppedFile
    url: str
    synced_up_to: int

    @property
    def is_synced(self) -> bool:
        return self.file.state == FileState.READ and self.file.last_row <= self.synced_up_to

    @property
    def state(self) -> str:
        if self.file.state != FileState.READ:
            return str(self.file.get_state_display())
        if not self.file.payments:
            return "Nothing to sync"
        if not self.is_synced:
            return "Waits for the sync"
        return "Synced but for some rows" if self.file.problems else "Synced"

    @property
    def tone(self) -> str:
        if self.file.state == FileState.READ and self.file.problems:
            return "warn"
        return "good" if self.is_synced else TONES[FileState(self.file.state)]


class Understood(NamedTuple):
    """A row as it would go in, or why it would not."""

    number: int
    line: Line | None
    problem: str

    @property
    def method(self) -> str:
        return str(PaymentMethod(self.line.method.value).label) if self.line else ""

    @property
    def takes_back(self) -> bool:
        return self.line is not None and (self.line.is_void or self.line.amount < 0)


class FileSheet:
    """A file with the choices that are saved, proposed, or just typed."""

    def __init__(self, file: DroppedFile, data: Any, *, synced_up_to: int) -> None:
        self.file, self._data = file, data
        self.entry = FileEntry(file, "", synced_up_to)
        self.trouble = ""
        self._sample = Sample([])
        self.layout_form = LayoutForm(file, [], None)
        if not file.file:
            self.trouble = file.message
            return
        try:
            self._open()
        except (NotATable, OSError) as error:
            self.trouble = str(error) if isinstance(error, NotATable) else NOT_KEPT

    def _open(self) -> None:
        with self.file.file.open("rb") as content:
            sheets = sheets_of(content) if self.file.content_type == EXCEL else []
            self.layout_form = LayoutForm(self.file, sheets, self._data)
            layout, line = self.layout_form.layout, self.layout_form.line
            self._sample = mappings.sample_of(content, layout, line)

    @property
    def is_readable(self) -> bool:
        return not self.trouble

    @property
    def is_open(self) -> bool:
        """Whether its columns are still to be said, rather than what became of it."""
        return self.file.state in (FileState.ASKING, FileState.READY)

    @cached_property
    def columns_form(self) -> ColumnsForm:
        return ColumnsForm(self._sample, self.file.mapping, self._data)

    @property
    def is_chosen(self) -> bool:
        return self.layout_form.is_valid() and self.columns_form.is_valid()

    def choice(self) -> dict[str, Any]:
        """What ``choose_columns`` takes. Only once it ``is_chosen``."""
        data = self.columns_form.cleaned_data
        return {
            "layout": self.layout_form.layout,
            "header_line": self.layout_form.line,
            "header": self._sample.header,
            "columns": self.columns_form.columns,
            "date_order": data["date_order"],
            "decimal_mark": data["decimal_mark"],
            "method": data["paid_by"],
        }

    @property
    def starting_point(self) -> str:
        found = starting_point_of(self._sample.header)
        return found.label if found else ""

    @property
    def header(self) -> list[str]:
        return [str(each or "") for each in self._sample.header[:SHOWN_CELLS]]

    @property
    def raw_rows(self) -> Iterator[tuple[int, list[str]]]:
        """The first rows as the file has them, as wide as its heading."""
        width = len(self.header)
        for line, row in self._sample.rows[:SHOWN_ROWS]:
            cells = ["" if each is None else str(each)[:80] for each in row[:width]]
            yield line, [*cells, *[""] * (width - len(cells))]

    @cached_property
    def understood(self) -> list[Understood]:
        """The first rows as they would go in; none until the order of dates is said."""
        reading = self._reading()
        if reading is None:
            return []
        made = []
        for number, row in self._sample.rows[:SHOWN_ROWS]:
            if isinstance(row[0], Broken):
                made.append(Understood(number, None, row[0].reason))
                continue
            read = line_of(row, number, reading)
            is_line = isinstance(read, Line)
            problem = "" if isinstance(read, Line) else " ".join(read.sentences)
            made.append(Understood(number, read if is_line else None, problem))  # type: ignore[arg-type]
        return made

    def _reading(self) -> Reading | None:
        form = self.columns_form
        said = {
            name: str(
                (form.data if form.is_bound else {}).get(name, form.fields[name].initial or "")
            )
            for name in ("date_order", "decimal_mark", "paid_by")
        }
        try:
            return Reading(
                places=places(form.columns_so_far(), self._sample.header),
                date_order=DateOrder(said["date_order"]),
                decimal_mark=DecimalMark(said["decimal_mark"]),
                currency=self.file.connection.currency,
                method=RemoteMethod(said["paid_by"]),
                width=len(self._sample.header),
            )
        except ValueError:
            return None


class Watched(NamedTuple):
    """A place that is looked at, and how the last look went."""

    label: str
    where: str
    last: WatchedPlace | None


def places_of(connection: ErpConnection) -> list[Watched]:
    known = {each.source: each for each in connection.watched_places.all()}
    stored = connection.settings
    made = []
    if stored.get("folder"):
        last = known.get(FileSource.FOLDER)
        made.append(Watched("Watched folder", str(stored["folder"]), last))
    if stored.get("sftp_host"):
        where = f"{stored['sftp_host']} {stored.get('sftp_folder', '')}".strip()
        made.append(Watched("SFTP", where, known.get(FileSource.SFTP)))
    return made


NOT_KEPT = "The file itself is not kept any more."
