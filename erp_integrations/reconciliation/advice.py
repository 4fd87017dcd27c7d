"""What each cause of a difference means, and where it is mended: for the person who reads it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse

from erp_integrations.explanations import Advice, Adviser
from erp_integrations.models import ErpAllocation, ReconciliationLine
from erp_integrations.places import Place
from erp_integrations.reconciliation.causes import BILL_CODES, Code
from payments.duplicates import pairs_in
from payments.models import Payment
from projects.money import display_money

SYNC = "Sync payments; the next comparison shows whether that was all."
#: by code and whether the ERP has more (True) or less
SENTENCES: dict[tuple[Code, bool], str] = {
    (Code.NOT_READ, True): (
        "The bill was paid with {amount} more in the ERP than the payments that were read. " + SYNC
    ),
    (Code.NOT_READ, False): (
        "{amount} were taken back in the ERP since its payments were read: voided, or taken off "
        "the bill. " + SYNC
    ),
    (Code.PENDING, True): (
        "{name} was only prepared when it was last read and is issued by now. " + SYNC
    ),
    (Code.PENDING, False): (
        "{name} was entered by hand here; in the ERP it is prepared and not issued yet. Issue it "
        "there, or delete the one entered by hand."
    ),
    (Code.VOIDED, True): "{name} is voided here, but the bill counts it in the ERP. " + SYNC,
    (Code.VOIDED, False): (
        "{name} was entered by hand and counts here; in the ERP it is voided. Delete the one "
        "entered by hand if no money left."
    ),
    (Code.MISSING, False): (
        "The ERP did not find {name} when it was last asked, and its bill does not count it. The "
        "next sweep decides; look for the payment in the ERP."
    ),
    (Code.VANISHED, True): (
        "{name} was gone from the ERP when it was last asked, but the bill counts it. " + SYNC
    ),
    (Code.VANISHED, False): (
        "{name} was entered by hand and counts here; in the ERP it is gone. Enter it there again, "
        "or delete the one entered by hand."
    ),
    (Code.OTHER_COMMITMENT, True): (
        "{name} paid this bill, but stands on another invoice here: the bill was linked to that "
        "one when the payment came. An administrator has to take the links apart."
    ),
    (Code.OTHER_COMMITMENT, False): (
        "{name} stands on this invoice, but paid another bill in the ERP: the invoice was linked "
        "to that one when the payment came. An administrator has to take the links apart."
    ),
    (Code.MANUAL_DUPLICATE, False): (
        "{name} was entered by hand and came from the ERP as well, so it counts twice. Link the "
        "two on the payment's page."
    ),
    (Code.HAND_ENTERED, False): (
        "{name} was entered by hand, and the ERP has no such payment on this bill. Enter it in "
        "the ERP, or delete it here if it was never made."
    ),
}
BILL_SENTENCES = {
    Code.BILL_MISSING: (
        "The ERP has no such bill any more. Unlink the invoice, and export it again or link it to "
        "its right bill."
    ),
    Code.BILL_CANCELLED: (
        "The bill is cancelled in the ERP. Unlink the invoice, and export it again."
    ),
    Code.BILL_CURRENCY: (
        "The bill is in another currency than the commitment, so the amounts cannot be compared. "
        "Link the invoice to its right bill."
    ),
}
UNEXPLAINED = (
    "Nobody knows why. Compare the bill's payments in the ERP with those of the invoice here, one "
    "by one; a credit note or a write-off there is no payment and does not come."
)
LABELS = {
    Code.WAITING: "Waiting",
    Code.NOT_READ: "Not read since",
    Code.PENDING: "Pending in the ERP",
    Code.VOIDED: "Voided on one side",
    Code.MISSING: "Missing in the ERP",
    Code.VANISHED: "Gone from the ERP",
    Code.OTHER_COMMITMENT: "Share of another invoice",
    Code.MANUAL_DUPLICATE: "Entered by hand as well",
    Code.HAND_ENTERED: "Entered by hand only",
    Code.BILL_MISSING: "Bill not in the ERP",
    Code.BILL_CANCELLED: "Bill cancelled in the ERP",
    Code.BILL_CURRENCY: "Bill in another currency",
    Code.UNEXPLAINED: "Unexplained",
}
#: what a sync of payments mends
MENDED_BY_SYNC = {Code.NOT_READ, Code.PENDING, Code.VOIDED, Code.VANISHED, Code.MISSING}


@dataclass(frozen=True)
class Explained:
    """A cause in words. ``is_sync``: the button that mends it starts a sync."""

    label: str
    amount: Decimal
    advice: Advice
    is_sync: bool = False
    is_unexplained: bool = False


@dataclass(frozen=True)
class LineRow:
    line: ReconciliationLine
    causes: list[Explained]
    #: the commitment's payments, for those who may see them
    payments_url: str


def labels(line: ReconciliationLine) -> str:
    """All causes in one cell of a spreadsheet: ``Not read since 300.00; …``."""
    parts = []
    for each in line.explanations:
        name = f" ({each['name']})" if each.get("name") else ""
        amount = display_money(Decimal(each["amount"]), line.currency)
        parts.append(f"{LABELS[Code(each['code'])]} {amount}{name}")
    return "; ".join(parts)


@dataclass(frozen=True)
class PairRow:
    """A payment that is here twice; ``url`` for those who may open it."""

    payment: Payment
    twin: Payment
    url: str


def pairs_for(place: Place) -> list[PairRow]:
    """The pairs on invoices that the person may see here."""
    pairs = pairs_in(Payment.objects.filter(invoice__in=place.invoices))
    places = _visible_payments(place, {pair.payment.pk for pair in pairs})
    return [
        PairRow(pair.payment, pair.twin, _address(places.get(pair.payment.pk))) for pair in pairs
    ]


def _address(args: tuple[int, int, int] | None) -> str:
    return reverse("payments:detail", args=args) + "#twice" if args else ""


def rows_for(place: Place, lines: list[Any], *, may_sync: bool) -> list[LineRow]:
    """The lines of one page, with links to what this person may see; few queries."""
    words = _Words(place, lines, may_sync=may_sync)
    return [words.row(line) for line in lines]


class _Words:
    """What one person reads about the lines of one page."""

    def __init__(self, place: Place, lines: Iterable[ReconciliationLine], *, may_sync: bool):
        found = [each for line in lines for each in line.explanations]
        commitments = {line.invoice.commitment_id for line in lines}
        self._may_sync = may_sync
        self._adviser = Adviser(place.person, place.company, commitments)
        self._payments = _visible_payments(
            place, {each["payment"] for each in found if "payment" in each}
        )
        self._waiting = _waiting(
            place, {each["allocation"] for each in found if each["code"] == Code.WAITING}
        )

    def row(self, line: ReconciliationLine) -> LineRow:
        commitment = line.invoice.commitment
        url = ""
        if commitment.pk in self._adviser.visible and commitment.allow_payments:
            url = reverse("payments:payments_issued", args=[commitment.project_id, commitment.pk])
        return LineRow(line, [self._explained(line, each) for each in line.explanations], url)

    def _explained(self, line: ReconciliationLine, cause: Mapping[str, Any]) -> Explained:
        code, amount = Code(cause["code"]), Decimal(cause["amount"])
        is_sync = self._may_sync and code in MENDED_BY_SYNC and "payment" not in cause
        return Explained(
            label=LABELS[code],
            amount=amount,
            advice=self._advice(line, code, cause),
            is_sync=is_sync,
            is_unexplained=code is Code.UNEXPLAINED,
        )

    def _advice(self, line: ReconciliationLine, code: Code, cause: Mapping[str, Any]) -> Advice:
        if code is Code.WAITING:
            allocation = self._waiting.get(cause.get("allocation", 0))
            return self._adviser.on_waiting(allocation) if allocation else Advice(SETTLED)
        if code is Code.UNEXPLAINED:
            return Advice(UNEXPLAINED)
        if code in BILL_CODES:
            return Advice(BILL_SENTENCES[code], *self._invoice(line))
        amount = Decimal(cause["amount"])
        sentence = SENTENCES[code, amount > 0].format(
            name=f"Payment {cause.get('name', '')}".strip(),
            amount=display_money(abs(amount), line.currency),
        )
        return Advice(sentence, *self._payment(cause))

    def _payment(self, cause: Mapping[str, Any]) -> tuple[str, str]:
        place = self._payments.get(cause.get("payment", 0))
        return (reverse("payments:detail", args=place), "Open the payment") if place else ("", "")

    def _invoice(self, line: ReconciliationLine) -> tuple[str, str]:
        commitment = line.invoice.commitment
        if commitment.pk not in self._adviser.visible:
            return "", ""
        args = [commitment.project_id, commitment.pk, line.invoice_id]
        return reverse("commitments:invoice", args=args), "Open the invoice"


SETTLED = "It waited when the books were compared, and does not any more. Compare again."


def _visible_payments(place: Place, ids: set[int]) -> dict[int, tuple[int, int, int]]:
    """Where each payment that is still there has its page, for those who may open it."""
    found = Payment.objects.for_user(place.person).filter(pk__in=ids)
    rows = found.values_list("project_id", "commitment_id", "pk")
    return {row[2]: row for row in rows} if ids else {}


def _waiting(place: Place, ids: set[int]) -> dict[int, ErpAllocation]:
    if not ids:
        return {}
    rows = ErpAllocation.objects.for_user(place.person).waiting().filter(pk__in=ids)
    joined = rows.select_related(
        "erp_payment", "invoice__commitment__vendor", "invoice__commitment__project"
    )
    return {each.pk: each for each in joined}
