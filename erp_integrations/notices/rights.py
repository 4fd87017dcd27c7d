"""Asked again when an e-mail is sent: hours may lie between its cause and now."""

from commitments.models import SubcontractorInvoice
from erp_integrations.models import ErpConnection, NoticeKind, OutgoingEmail
from erp_integrations.notices.preferences import wants
from payments.models import Payment
from projects.access import Level, Tool
from projects.models import Company


def may_still_get(email: OutgoingEmail) -> bool:
    """Whether its person still wants it, may still know it, and the company still sends e-mail."""
    person, kind = email.person, NoticeKind(email.kind)
    connections = ErpConnection.objects.filter(company=email.company_id, sends_email=True)
    return bool(
        person.is_active
        and person.email
        and connections.exists()
        and wants(person, email.company_id, kind)
        and _may_know(email, kind)
    )


def _may_know(email: OutgoingEmail, kind: NoticeKind) -> bool:
    person, company = email.person, Company.objects.filter(pk=email.company_id)
    if kind == NoticeKind.TROUBLE:
        return company.with_level(person, Tool.ERP_INTEGRATIONS, Level.ADMIN).exists()
    if kind == NoticeKind.DIGEST:
        return company.with_approver(person).exists()
    if kind == NoticeKind.REJECTION:
        invoices = SubcontractorInvoice.objects.for_user(person)
        return email.invoice is not None and invoices.contains(email.invoice)
    visible = Payment.objects.for_user(person).filter(pk__in=email.payments)
    return visible.count() == len(email.payments) and visible.counted().exists()
