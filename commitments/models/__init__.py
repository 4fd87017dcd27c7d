"""Commitments and what is billed on them."""

from commitments.models.attachment import InvoiceAttachment
from commitments.models.change_order import ChangeOrder
from commitments.models.commitment import Commitment, CommitmentKind, CommitmentStatus
from commitments.models.history import CommitmentEvent
from commitments.models.invoice import BillingPeriod, InvoiceStatus, SubcontractorInvoice
from commitments.models.schedule_of_values import ScheduleOfValuesLine

__all__ = [
    "BillingPeriod",
    "ChangeOrder",
    "Commitment",
    "CommitmentEvent",
    "CommitmentKind",
    "CommitmentStatus",
    "InvoiceAttachment",
    "InvoiceStatus",
    "ScheduleOfValuesLine",
    "SubcontractorInvoice",
]
