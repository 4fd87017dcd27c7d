"""Whoever sent an invoice hears when it is rejected (domain sheet §1.7)."""

from typing import Any

from django.dispatch import receiver

from commitments.erp_states import SENT_SUMMARY, invoice_was_rejected
from commitments.models import CommitmentEvent, SubcontractorInvoice
from erp_integrations.models import ErpConnection, NoticeKind
from erp_integrations.notices import links
from erp_integrations.notices.outbox import write_email
from erp_integrations.notices.preferences import those_who_want
from projects.models import User

SUBJECT = "Invoice {number} was rejected: {project}"


@receiver(invoice_was_rejected)
def tell_the_sender(*, invoice: SubcontractorInvoice, by: User, **_: Any) -> None:
    """Written in the transaction of the rejection."""
    sender = _sender(invoice)
    connection = ErpConnection.objects.filter(company=invoice.company_id, sends_email=True).first()
    if sender is None or connection is None or sender == by:
        return
    company, commitment = invoice.commitment.company, invoice.commitment
    for person in those_who_want([sender], company, NoticeKind.REJECTION):
        write_email(
            company=company,
            person=person,
            kind=NoticeKind.REJECTION,
            subject=SUBJECT.format(number=invoice.invoice_number, project=invoice.project),
            template="rejection",
            context={
                "invoice": invoice,
                "commitment": commitment,
                "by": by,
                "invoice_url": links.page(
                    "commitments:invoice", invoice.project_id, commitment.pk, invoice.pk
                ),
            },
            dedupe_key=f"rejection:{invoice.pk}:{invoice.updated_at.timestamp()}",
            invoice=invoice,
        )


def _sender(invoice: SubcontractorInvoice) -> User | None:
    sent = CommitmentEvent.objects.filter(
        invoice=invoice, summary=SENT_SUMMARY, actor__isnull=False, actor__is_active=True
    )
    last = sent.select_related("actor").order_by("-at", "-pk").first()
    return last.actor if last else None
