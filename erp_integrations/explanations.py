"""What is wrong, and what to do about it: one sentence each, for the person who reads it.

Links lead to the place that mends it, for those who may go there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from commitments.models import Commitment
from erp_integrations.models import ErpAllocation, RunMode, SyncIssue, SyncRun, WaitReason
from erp_integrations.models.issue import IssueCode
from projects.access import Level, Person, Tool
from projects.models import Company

BY_ITSELF = "The payment then appears by itself."

#: why an allocation waits
WAITING = {
    WaitReason.BILL_UNKNOWN: (
        "No invoice here is linked to bill {bill}. If the bill belongs to a subcontractor "
        "invoice, link that invoice to it (ERP bill ID {bill_id}); the payment then appears by "
        "itself. If the bill was only ever in the ERP, there is nothing to do."
    ),
    WaitReason.INVOICE_NOT_SYNCED: (
        "Invoice {invoice} of {commitment} is not synced with the ERP. Export it, or link it to "
        "bill {bill}. " + BY_ITSELF
    ),
    WaitReason.TOOL_INACTIVE: (
        "The Commitments tool is switched off on project {project}. An administrator can switch "
        "it on in the administration, under the project's tools. " + BY_ITSELF
    ),
    WaitReason.TAB_DISABLED: (
        "Payments Issued is switched off on {commitment}. An administrator of Commitments can "
        "switch it on under Advanced Settings. " + BY_ITSELF
    ),
    WaitReason.PAYMENT_PENDING: (
        "The payment is prepared in the ERP but not issued yet. It appears by itself when it is."
    ),
    WaitReason.VENDOR_MISMATCH: (
        "The ERP paid {vendor}, but {commitment} is with {contract_company}. Correct the payment "
        "in the ERP, link the bill to the right invoice, or link {contract_company} to the right "
        "vendor of the ERP; the payment then appears."
    ),
    WaitReason.CURRENCY_MISMATCH: (
        "The payment is in {currency}, but {commitment} is in {commitment_currency}. Correct "
        "whichever is wrong; the next sync brings it."
    ),
    WaitReason.AMOUNT_EXCEEDS_BILL: (
        "The payments of bill {bill} add up to more than the bill. Correct the payment or the "
        "bill in the ERP; the next sync brings it."
    ),
}

#: what to do about an issue that is not an allocation that waits
ISSUES = {
    IssueCode.UNUSABLE_RECORD: (
        "Correct the record in the ERP. Every sync asks for it again until it can be used."
    ),
    IssueCode.MISSING: (
        "Look for the payment in the ERP. The next sweep decides: found, all is well; missed "
        "again, it leaves the totals."
    ),
    IssueCode.VANISHED: (
        "It stays on the commitment, marked red, and no longer counts. If it was deleted by "
        "mistake, enter it in the ERP again and sync."
    ),
    IssueCode.SWEEP_NOT_TRUSTED: (
        "Test the connection on the Settings tab, mend the ERP user's rights, and sweep again."
    ),
}

#: what to do after a run that failed, by ``SyncRun.error_code``
ERRORS = {
    "AuthenticationError": (
        "Automatic syncs have stopped. An administrator of ERP Integrations has to enter new "
        "credentials in the connection's settings; after that, sync again."
    ),
    "ConfigurationError": (
        "Automatic syncs have stopped. An administrator of ERP Integrations has to correct the "
        "connection's settings; after that, sync again."
    ),
    "TransientError": "This often passes by itself. Sync again, or wait for the next sync.",
    "RateLimited": "The ERP asked for a pause. Wait a few minutes, then sync again.",
    "ProtocolError": (
        "The ERP, or something between it and this program, answered with what no payment list "
        "looks like. Test the connection on the Settings tab, and sync again."
    ),
    "NotAllowedNow": "Mend what the sentence names, then sync again.",
    "cancelled": "Sync again whenever you like: it goes on where this one stopped.",
    "gave_up": "Tell whoever runs this program. Nothing that was read is lost.",
    "bug": "Tell whoever runs this program. Nothing that was read is lost.",
}
UNKNOWN_ERROR = "Sync again. If it fails again, tell whoever runs this program."


@dataclass(frozen=True)
class Advice:
    """A sentence, and where to go with it (empty: nowhere the person may go)."""

    sentence: str
    url: str = ""
    label: str = ""


class Adviser:
    """Knows where one person may go, asked once for all rows of a page."""

    def __init__(self, person: Person, company: Company, commitments: Iterable[int] = ()) -> None:
        ids = set(commitments)
        visible = Commitment.objects.for_user(person).filter(pk__in=ids)
        administered = Commitment.objects.for_user(person, Level.ADMIN).filter(pk__in=ids)
        self.visible = set(visible.values_list("pk", flat=True)) if ids else set()
        self.administered = set(administered.values_list("pk", flat=True)) if ids else set()
        self._person = person
        self._admin_tools = _tools_in_administration(person, company)

    def on_waiting(self, allocation: ErpAllocation) -> Advice:
        """Why an allocation waits. It comes with its payment, invoice, commitment and project."""
        reason = WaitReason(allocation.reason)
        sentence = WAITING[reason].format(**_facts(allocation))
        return Advice(sentence, *self._place_that_mends(reason, allocation))

    def on_issue(self, issue: SyncIssue) -> Advice:
        if issue.code == IssueCode.WAITING and issue.allocation:
            return self.on_waiting(issue.allocation)
        if issue.code == IssueCode.SWEEP_NOT_TRUSTED:
            return Advice(ISSUES[IssueCode.SWEEP_NOT_TRUSTED], *self.connection(issue))
        return Advice(ISSUES.get(IssueCode(issue.code), ""))

    def on_error(self, run: SyncRun) -> Advice:
        sentence = ERRORS.get(run.error_code, UNKNOWN_ERROR)
        mends = run.error_code in ("AuthenticationError", "ConfigurationError", "ProtocolError")
        return Advice(sentence, *(self.connection(run) if mends else ("", "")))

    def connection(self, row: SyncIssue | SyncRun) -> tuple[str, str]:
        """The Settings tab, for administrators of the company's tool."""
        mine = Company.objects.filter(pk=row.company_id)
        if not mine.with_level(self._person, Tool.ERP_INTEGRATIONS, Level.ADMIN).exists():
            return "", ""
        return reverse("erp_integrations:company_settings", args=[row.company_id]), "Open Settings"

    def _place_that_mends(self, reason: WaitReason, allocation: ErpAllocation) -> tuple[str, str]:
        invoice, commitments = allocation.invoice, Tool.COMMITMENTS in self._admin_tools
        if reason == WaitReason.TAB_DISABLED and invoice:
            return self.advanced_settings(invoice.commitment)
        if reason == WaitReason.TOOL_INACTIVE and invoice and self._admin_tools:
            url = reverse("admin:projects_project_change", args=[invoice.project_id])
            return url, "Open the project's tools"
        if reason == WaitReason.INVOICE_NOT_SYNCED and invoice and commitments:
            page = "admin:commitments_subcontractorinvoice_change"
            return reverse(page, args=[invoice.pk]), "Open the invoice"
        if reason == WaitReason.VENDOR_MISMATCH and invoice:
            vendor = invoice.commitment.vendor
            page = "erp_integrations:company_directory_record"
            return reverse(page, args=[vendor.company_id, "vendors", vendor.pk]), "Open the vendor"
        if reason == WaitReason.BILL_UNKNOWN and commitments:
            url = reverse("admin:commitments_subcontractorinvoice_changelist")
            return url, "Look for the invoice"
        return "", ""

    def advanced_settings(self, commitment: Commitment) -> tuple[str, str]:
        """Where the tab is switched on. The commitment is one of those asked for at first."""
        if commitment.pk not in self.administered:
            return "", ""
        url = reverse("commitments:advanced_settings", args=[commitment.project_id, commitment.pk])
        return url, "Open Advanced Settings"


def _tools_in_administration(person: Person, company: Company) -> set[Tool]:
    """The tools that the person, as staff, may change in the administration of this company."""
    if not getattr(person, "is_staff", False):
        return set()
    mine = Company.objects.filter(pk=company.pk)
    return {tool for tool in Tool if mine.with_level(person, tool, Level.ADMIN).exists()}


def _facts(allocation: ErpAllocation) -> dict[str, Any]:
    """The words that the sentences need; an allocation without an invoice has fewer of them."""
    payment, invoice = allocation.erp_payment, allocation.invoice
    facts: dict[str, Any] = {
        "bill": allocation.bill_number or allocation.bill_id,
        "bill_id": allocation.bill_id,
        "vendor": payment.vendor_name or "another company",
        "currency": payment.currency,
        "invoice": "of this bill",
        "commitment": "its commitment",
        "project": "of the invoice",
        "contract_company": "another company",
        "commitment_currency": "another currency",
    }
    if invoice is not None:
        commitment = invoice.commitment
        facts |= {
            "invoice": invoice.invoice_number,
            "commitment": commitment.number,
            "project": str(commitment.project),
            "contract_company": commitment.vendor.name,
            "commitment_currency": commitment.currency,
        }
    return facts


def summary(run: SyncRun) -> str:
    """What a run did, in a sentence or two."""
    if run.mode == RunMode.RECONCILE:
        return _compared(run)
    if run.is_preview:
        return _previewed(run)
    sentences = [_read(run)]
    if run.vanished:
        sentences.append(f"{_count(run.vanished, 'payment')} gone from the ERP.")
    if run.waiting:
        waits = "waits" if run.waiting == 1 else "wait"
        sentences.append(f"{run.waiting:,} {waits} for something.")
    if run.problems:
        records = _count(run.problems, "record")
        sentences.append(f"{records} could not be used.")
    return " ".join(sentences)


def _previewed(run: SyncRun) -> str:
    if not run.payments_read and not run.vanished:
        return "Nothing would change: the ERP named no payment that is new or different."
    gone = f", {run.vanished:,} gone" if run.vanished else ""
    return (
        f"{_count(run.payments_read, 'payment')} read: {run.created:,} would be new, "
        f"{run.updated:,} changed, {run.unchanged:,} unchanged{gone}. Nothing was written."
    )


def _compared(run: SyncRun) -> str:
    """A comparison counts invoices: those that agree as unchanged, the others as problems."""
    invoices = _count(run.unchanged + run.problems, "invoice")
    differ = "differs" if run.problems == 1 else "differ"
    return f"{invoices} compared: {run.problems or 'none'} {differ} between the two books."


def _read(run: SyncRun) -> str:
    if not run.payments_read:
        asked = run.mode == RunMode.SCOPED
        return "The ERP has no payment here." if asked else "No payment has changed in the ERP."
    return (
        f"{_count(run.payments_read, 'payment')} read: {run.created:,} new, "
        f"{run.updated:,} changed, {run.unchanged:,} unchanged."
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
