"""The way of one payment, step by step, up to the first *no* and what mends it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse

from commitments.models import SubcontractorInvoice
from erp_integrations.explanations import Advice, Adviser
from erp_integrations.models import ErpAllocation, ErpPayment, WaitReason
from erp_integrations.models.mirror import Outcome, RemoteState
from erp_integrations.places import Place
from erp_integrations.providers.contract import RemotePayment, RemoteStatus
from projects.money import ZERO, display_money
from projects.time_zones import in_words

YES, NO, NOTE = "yes", "no", "note"
NEVER_READ = (
    "It was never read here. A payment is read by the first sync after it was entered or changed."
)
PENDING = (
    "It is prepared in the ERP and not issued yet. It appears by itself when it is; nothing is to "
    "be done here."
)
VOIDED = (
    "It is voided in the ERP, so it does not count. Where it was shown before it stays, struck "
    "through."
)
GONE = (
    "It is gone from the ERP since {when}, so it does not count. If it was deleted by mistake, "
    "enter it there again and sync."
)
UNAPPLIED = (
    "It is applied to no bill in the ERP, so nobody can say which invoice it pays. Apply it to its "
    "bill there; the next sync brings it."
)
TAKEN_OFF = (
    "The ERP does not apply it to this bill any more. Apply it there again if that was a mistake; "
    "the next sync brings it."
)
TAB_OFF = (
    "It is stored on {commitment}, but Payments Issued is switched off there, so nobody sees it."
)
PRIVATE = "{commitment} is private: its administrators and the people on its list see the payment."
OPEN = "Everybody with Read-Only on the project's Commitments sees it."
#: what a reason to wait says no to
ASKED = {
    WaitReason.BILL_UNKNOWN: "Is the bill an invoice here?",
    WaitReason.INVOICE_NOT_SYNCED: "Is the invoice synced?",
    WaitReason.TOOL_INACTIVE: "Is the Commitments tool on?",
    WaitReason.TAB_DISABLED: "Is Payments Issued on?",
    WaitReason.PAYMENT_PENDING: "Issued?",
    WaitReason.VENDOR_MISMATCH: "Is it the same company?",
    WaitReason.CURRENCY_MISMATCH: "Is it the same currency?",
    WaitReason.AMOUNT_EXCEEDS_BILL: "Is it no more than the bill?",
}


@dataclass(frozen=True)
class Step:
    """One question of the way. ``invoice_id`` with ``is_sync``: that invoice is synced first."""

    question: str
    mark: str
    sentence: str
    url: str = ""
    label: str = ""
    is_sync: bool = False

    @property
    def answer(self) -> str:
        return {YES: "Yes", NO: "No", NOTE: "Note"}[self.mark]


@dataclass
class Walk:
    """The steps of one payment, and for each bill that it pays the rest of the way."""

    title: str
    amount: str
    steps: list[Step] = field(default_factory=list)
    #: ``(bill, its steps)``
    bills: list[tuple[str, list[Step]]] = field(default_factory=list)
    #: bill of which a sync is wanted; empty: of everything
    bill_id: str = ""

    @property
    def is_stuck(self) -> bool:
        return any(each.mark == NO for each in self._all)

    @property
    def verdict(self) -> str:
        """The first *no* in a few words, or that all is well."""
        stuck = [each for each in self._all if each.mark == NO]
        return stuck[0].question if stuck else "It is here"

    @property
    def _all(self) -> list[Step]:
        return [*self.steps, *(step for _, steps in self.bills for step in steps)]


def walks_of(
    place: Place, payments: list[ErpPayment], parts: Iterable[ErpAllocation], *, may_sync: bool
) -> list[Walk]:
    """Payments that were read, with those of their parts that the person may see."""
    by_payment: dict[int, list[ErpAllocation]] = {each.pk: [] for each in payments}
    for part in parts:
        by_payment[part.erp_payment_id].append(part)
    shown = [part for some in by_payment.values() for part in some]
    commitments = {_commitment_id(part) for part in shown} - {None}
    adviser = Adviser(place.person, place.company, [each for each in commitments if each])
    guide = _Guide(place, adviser, may_sync=may_sync)
    return [guide.walk(each, by_payment[each.pk]) for each in payments]


def _commitment_id(part: ErpAllocation) -> int | None:
    if part.payment:
        return part.payment.commitment_id
    return part.invoice.commitment_id if part.invoice else None


def unread_walk(payment: RemotePayment, place: Place, *, may_sync: bool) -> Walk:
    """A payment that the ERP has just told of and that was never read."""
    walk = Walk(
        title=_title(payment.check_number, payment.number, payment.vendor_name),
        amount=display_money(payment.total, payment.currency),
        bill_id=payment.allocations[0].bill_id if payment.allocations else "",
    )
    walk.steps.append(
        Step(
            "In the ERP?", YES, f"The ERP has it, dated {payment.date:%m/%d/%Y}. It was just asked."
        )
    )
    walk.steps.append(Step("Read?", NO, _why_unread(place, may_sync=may_sync), is_sync=may_sync))
    if payment.status is not RemoteStatus.ISSUED:
        sentence = PENDING if payment.status is RemoteStatus.PENDING else VOIDED
        walk.steps.append(Step("Issued?", NO, sentence))
    return walk


def _why_unread(place: Place, *, may_sync: bool) -> str:
    last = place.connection.last_success_at if place.connection else None
    when = f" The last sync was {in_words(last, place.time_zone)}." if last else ""
    rest = "" if may_sync else " Ask an accounting approver to sync, or wait for the next one."
    return f"{NEVER_READ}{when}{rest}"


class _Guide:
    """Walks the way for one person, knowing where they may go."""

    def __init__(self, place: Place, adviser: Adviser, *, may_sync: bool) -> None:
        self._place, self._adviser, self._may_sync = place, adviser, may_sync

    def walk(self, payment: ErpPayment, parts: list[ErpAllocation]) -> Walk:
        walk = Walk(
            title=_title(payment.check_number, payment.number, payment.vendor_name),
            amount=display_money(payment.total, payment.currency),
        )
        walk.steps = self._steps(payment, parts)
        if not walk.is_stuck:
            walk.bills = [(self._bill(part), self._of_bill(part)) for part in parts]
        return walk

    def _steps(self, payment: ErpPayment, parts: list[ErpAllocation]) -> list[Step]:
        """Up to the bills, and no further than the first *no*."""
        if payment.vanished_at:
            when = in_words(payment.vanished_at, self._place.time_zone)
            place = self._shown_at(parts)
            return [Step("In the ERP?", NO, GONE.format(when=when), *place)]
        steps = [
            Step("In the ERP?", YES, _in_erp(payment)),
            Step("Read?", YES, self._read(payment)),
        ]
        if payment.status == RemoteState.PENDING:
            return [*steps, Step("Issued?", NO, PENDING)]
        if payment.status == RemoteState.VOIDED:
            return [*steps, Step("Issued?", NO, VOIDED, *self._shown_at(parts))]
        steps.append(Step("Issued?", YES, "It is issued: money that left."))
        live = [each for each in parts if each.outcome != Outcome.REMOVED]
        if not parts:
            return [*steps, Step("Applied to a bill?", NO, UNAPPLIED)]
        applied = sum((each.amount for each in live), ZERO)
        sentence = f"{display_money(applied, payment.currency)} of it, to the bills below."
        return [*steps, Step("Applied to a bill?", YES, sentence)]

    def _read(self, payment: ErpPayment) -> str:
        when = in_words(payment.changed_at, self._place.time_zone)
        by = f" by sync {payment.last_run_id}" if payment.last_run_id else ""
        return f"Its last change was read {when}{by}."

    def _bill(self, part: ErpAllocation) -> str:
        amount = display_money(part.amount, part.erp_payment.currency)
        return f"Bill {part.bill_number or part.bill_id}: {amount}"

    def _of_bill(self, part: ErpAllocation) -> list[Step]:
        """From the bill to the page on which the payment is seen."""
        if part.outcome == Outcome.REMOVED:
            return [Step("Still applied to it?", NO, TAKEN_OFF)]
        if part.outcome == Outcome.WAITING:
            return self._waiting(part)
        return self._shown(part)

    def _waiting(self, part: ErpAllocation) -> list[Step]:
        """What was passed before the reason, then the reason."""
        reason, steps = WaitReason(part.reason), []
        invoice = part.invoice
        if invoice is not None and reason != WaitReason.INVOICE_NOT_SYNCED:
            steps.append(self._is_invoice(invoice))
        advice: Advice = self._adviser.on_waiting(part)
        return [*steps, Step(ASKED[reason], NO, advice.sentence, advice.url, advice.label)]

    def _is_invoice(self, invoice: SubcontractorInvoice) -> Step:
        sentence = f"Invoice {invoice.invoice_number} of {invoice.commitment.number}, synced."
        return Step("Is the bill a synced invoice here?", YES, sentence)

    def _shown(self, part: ErpAllocation) -> list[Step]:
        payment: Any = part.payment
        commitment, steps = payment.commitment, []
        if payment.invoice:
            steps.append(self._is_invoice(payment.invoice))
        if not commitment.allow_payments:
            advice = self._adviser.advanced_settings(commitment)
            sentence = TAB_OFF.format(commitment=commitment.number)
            return [*steps, Step("Is Payments Issued on?", NO, sentence, *advice)]
        steps.append(Step("Are the tool and the tab on?", YES, "Payments Issued is on."))
        seen = PRIVATE.format(commitment=commitment.number) if commitment.is_private else OPEN
        is_visible = commitment.pk in self._adviser.visible
        mine = "" if is_visible else " You have no right to see its commitment."
        steps.append(
            Step("Shown to whom?", YES if is_visible else NO, seen + mine, *self._shown_at([part]))
        )
        return steps

    def _shown_at(self, parts: list[ErpAllocation]) -> tuple[str, str]:
        """The payment's own page, for those who may open it."""
        for part in parts:
            payment = part.payment
            if payment is None or payment.commitment_id not in self._adviser.visible:
                continue
            if payment.commitment.allow_payments:
                args = [payment.project_id, payment.commitment_id, payment.pk]
                return reverse("payments:detail", args=args), "Open the payment"
        return "", ""


def _title(check: str, number: str, vendor: str) -> str:
    name = f"Check {check}" if check else f"Payment {number}"
    return f"{name} to {vendor}" if vendor else name


def _in_erp(payment: ErpPayment) -> str:
    number = f" as {payment.number}" if payment.number else ""
    missing = (
        " The last sweep did not find it; the next one decides." if payment.missing_since else ""
    )
    return f"The ERP has it{number}, dated {payment.date:%m/%d/%Y}.{missing}"
