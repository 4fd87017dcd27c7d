"""Payments issued on commitments."""

from payments.models.attachment import PaymentAttachment
from payments.models.duplicate import DismissedDuplicate
from payments.models.event import EventKind, PaymentEvent
from payments.models.payment import Payment, PaymentMethod, PaymentStatus

__all__ = [
    "DismissedDuplicate",
    "EventKind",
    "Payment",
    "PaymentAttachment",
    "PaymentEvent",
    "PaymentMethod",
    "PaymentStatus",
]
