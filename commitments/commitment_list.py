"""The rows, totals and columns of the Commitments list (domain sheet §4.2)."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Case, DecimalField, F, QuerySet, Sum, When
from django.urls import reverse

from commitments import extensions
from projects.money import rounded

#: name of the annotation → heading, in the list's order
AMOUNTS = {
    "original_amount": "Original Contract Amount",
    "approved_changes": "Approved Change Orders",
    "revised_amount": "Revised Contract Amount",
    "pending_changes": "Pending Change Orders",
    "draft_changes": "Draft Change Orders",
    "invoiced": "Invoiced",
    "payments_issued": "Payments Issued",
}


def with_amounts(rows: Any) -> Any:
    """Adds every amount of the list and of the contract summary."""
    rows = rows.with_totals().annotate(payments_issued=extensions.paid_on("commitment"))
    rows = rows.annotate(remaining_balance=F("revised_amount") - F("payments_issued"))
    return rows.annotate(percent_paid=_percent("payments_issued", "revised_amount"))


def _percent(part: str, whole: str) -> Case:
    """In SQL, so that the list can be sorted by it; nothing where the whole is zero."""
    return Case(
        When(**{whole: 0}, then=None),
        default=F(part) * Decimal(100) / F(whole),
        output_field=DecimalField(max_digits=12, decimal_places=2),
    )


@dataclass(frozen=True)
class CommitmentRow:
    """One line of the list."""

    commitment: Any

    @property
    def url(self) -> str:
        place = [self.commitment.project_id, self.commitment.pk]
        return reverse("commitments:general", args=place)

    @property
    def currency(self) -> str:
        return str(self.commitment.currency)

    @property
    def amounts(self) -> list[Decimal]:
        return [getattr(self.commitment, name) for name in AMOUNTS]

    @property
    def percent_paid(self) -> str:
        return percent_text(self.commitment.percent_paid)


@dataclass(frozen=True)
class Total:
    """What all filtered commitments of one currency come to."""

    currency: str
    amounts: list[Decimal]
    remaining: Decimal
    percent_paid: str


def totals(rows: "QuerySet[Any, Any]") -> list[Total]:
    """One per currency, added up by the database over all rows, not only this page's."""
    sums = {f"sum_{name}": Sum(name) for name in AMOUNTS}
    found = rows.order_by().values("currency").annotate(**sums).order_by("currency")
    return [_total(each) for each in found]


def _total(sums: dict[str, Any]) -> Total:
    amounts = [sums[f"sum_{name}"] for name in AMOUNTS]
    revised, paid = sums["sum_revised_amount"], sums["sum_payments_issued"]
    percent = paid * 100 / revised if revised else None
    return Total(sums["currency"], amounts, revised - paid, percent_text(percent))


def percent_text(percent: Decimal | None) -> str:
    """``41.27%``; a dash where there is nothing to be a part of."""
    return "—" if percent is None else f"{percent:.2f}%"


EXPORT_HEADER = (
    *("Number", "Contract Company", "Title", "ERP Status", "Status", "Executed", "SSOV Status"),
    "Currency",
    *AMOUNTS.values(),
    *("% Paid", "Remaining Balance Outstanding", "Private"),
)


def export_line(commitment: Any) -> tuple[object, ...]:
    """One line of the CSV file, in the order of ``EXPORT_HEADER``."""
    currency, percent = commitment.currency, commitment.percent_paid
    return (
        commitment.number,
        commitment.vendor.name,
        commitment.title,
        commitment.get_erp_status_display(),
        commitment.status,
        commitment.is_executed,
        commitment.ssov_status,
        currency,
        *(rounded(getattr(commitment, name), currency) for name in AMOUNTS),
        None if percent is None else f"{percent:.2f}",
        rounded(commitment.remaining_balance, currency),
        commitment.is_private,
    )
