"""What people choose for a file: how it is taken apart, and what its columns mean."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from erp_integrations.file_drop import mappings
from erp_integrations.file_drop.mappings import Sample, Told
from erp_integrations.file_drop.starting_points import starting_point_of
from erp_integrations.file_drop.tables import CSV, DELIMITERS, ENCODINGS, Layout
from erp_integrations.models import DroppedFile, FileMapping
from erp_integrations.providers.file_drop import dates
from erp_integrations.providers.file_drop.amounts import DecimalMark, Unreadable
from erp_integrations.providers.file_drop.columns import BY_NAME, COLUMNS, places, proposed
from erp_integrations.providers.file_drop.dates import WORDS, DateOrder, date_of
from payments.models import PaymentMethod

CHOOSE = ("", "Choose…")
MARKS = {DecimalMark.POINT: "Point: 1,234.56", DecimalMark.COMMA: "Comma: 1.234,56"}
LONGEST_TITLE = 1000


class UploadForm(forms.Form):
    file = forms.FileField(
        label="File",
        help_text="CSV or Excel (.xlsx), with one row for each invoice that a payment pays.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
        max_length=255,
    )


class LayoutForm(forms.Form):
    """How the table is found in the file; what was told from its content stands there at first."""

    encoding = forms.ChoiceField(
        label="Encoding",
        choices=tuple(ENCODINGS.items()),
        help_text="If letters such as é or ü look wrong below, choose another one.",
    )
    delimiter = forms.ChoiceField(
        label="Between the cells", choices=tuple(DELIMITERS.items()), required=True
    )
    sheet = forms.ChoiceField(label="Sheet")
    header_line = forms.IntegerField(
        label="Line with the headings", min_value=1, max_value=LONGEST_TITLE
    )

    def __init__(self, file: DroppedFile, sheets: list[str], data: Any = None) -> None:
        self.file = file
        names = ("encoding", "delimiter", "sheet", "header_line")
        super().__init__(data, initial={name: getattr(file, name) for name in names})
        is_csv = file.content_type == CSV
        for name in ("sheet",) if is_csv else ("encoding", "delimiter"):
            del self.fields[name]
        if not is_csv:
            self.fields["sheet"] = forms.ChoiceField(
                label="Sheet", choices=[(name[:100], name) for name in sheets]
            )

    @property
    def layout(self) -> Layout:
        """As chosen, or as it was found."""
        chosen = self.cleaned_data if self.is_bound and self.is_valid() else {}
        names = ("encoding", "delimiter", "sheet")
        return Layout(
            self.file.content_type,
            **{name: chosen.get(name, getattr(self.file, name)) for name in names},
        )

    @property
    def line(self) -> int:
        valid = self.is_bound and self.is_valid()
        return int(self.cleaned_data["header_line"]) if valid else self.file.header_line


class ColumnsForm(forms.Form):
    """What each column means, and in which order dates are written: asked where both could be."""

    def __init__(self, sample: Sample, mapping: FileMapping | None, data: Any = None) -> None:
        self.sample = sample
        start = starting_point_of(sample.header)
        columns = start.chosen if start else proposed(sample.header)
        if mapping is not None:
            columns = mapping.columns
        super().__init__(data)
        headings = [(str(each), str(each)) for each in sample.header if str(each or "").strip()]
        unique = list(dict(headings).items())
        for column in COLUMNS:
            self.fields[column.name] = forms.ChoiceField(
                label=column.label,
                help_text=column.help_text,
                choices=[("", "Not in the file"), *unique],
                required=column.is_required,
                initial=columns.get(column.name, ""),
            )
        self.columns_at_first = columns
        self._add_readings(mappings.told_by(sample, self.columns_so_far()), mapping)

    def _add_readings(self, told: Told, mapping: FileMapping | None) -> None:
        order = mapping.date_order if mapping else told.date_order or ""
        mark = mapping.decimal_mark if mapping else told.decimal_mark or ""
        self.fields["date_order"] = forms.ChoiceField(
            label="Order of dates",
            choices=[CHOOSE, *((each.value, WORDS[each].capitalize()) for each in DateOrder)],
            initial=order,
            help_text=TOLD if told.date_order else self._which_day(),
        )
        self.fields["decimal_mark"] = forms.ChoiceField(
            label="Before the cents",
            choices=[CHOOSE, *((each.value, MARKS[each]) for each in DecimalMark)],
            initial=mark,
            help_text=TOLD if told.decimal_mark else EITHER_MARK,
        )
        self.fields["paid_by"] = forms.ChoiceField(
            label="Paid by, where no column says it",
            choices=PaymentMethod.choices,
            initial=mapping.method if mapping else PaymentMethod.CHECK,
        )

    def columns_so_far(self) -> dict[str, str]:
        """As typed, whether or not that is complete."""
        if not self.is_bound:
            return self.columns_at_first
        chosen = {column.name: str(self.data.get(column.name, "")) for column in COLUMNS}
        found = places(chosen, self.sample.header)
        return {name: heading for name, heading in chosen.items() if name in found}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("vendor_code") and not data.get("vendor_name"):
            raise ValidationError("Choose the column for the vendor's number or its name.")
        by_heading: dict[str, str] = {}
        for column in COLUMNS:
            heading = data.get(column.name)
            if heading and heading in by_heading:
                other = by_heading[heading]
                raise ValidationError(f"“{heading}” cannot be both {other} and {column.label}.")
            if heading:
                by_heading[heading] = column.label
        return data

    @property
    def columns(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in BY_NAME if self.cleaned_data.get(name)}

    def _which_day(self) -> str:
        """A date of the file with all the days that it could be."""
        for cell in self.sample.cells(self.columns_so_far(), mappings.DATES):
            days = _readings(cell) if isinstance(cell, str) else []
            if len(days) > 1:
                listed = " or ".join(f"{day:%B} {day.day}, {day.year}" for day in days)
                return f"Ask whoever made the file: “{cell}” could be {listed}."
        return "The dates do not tell. Ask whoever made the file."


def _readings(cell: str) -> list[Any]:
    found = []
    for order in sorted(dates.fitting_orders([cell]), reverse=True):
        try:
            found.append(date_of(cell, order))
        except Unreadable:
            continue
    return list(dict.fromkeys(found))


TOLD = "As all of the first rows have it."
EITHER_MARK = "The amounts do not tell: “1,234” could be one thousand or one and a bit."
