"""What rooms to the right add to a payment, and how they hear of what becomes of it.

Payments know that some of them have an origin, not where that is. A room that
can do more with such a payment registers it here, once, in its ``AppConfig.ready``.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from django.dispatch import Signal

from payments.models import Payment
from projects.access import Person


class PaymentAction(NamedTuple):
    """A button on the page of a payment."""

    label: str
    url: str


ActionSource: TypeAlias = Callable[[Payment, Person], PaymentAction | None]
_actions: list[ActionSource] = []

#: ``payment`` takes the place of ``twin``, which is deleted next; inside the transaction
payment_takes_over = Signal()
#: ``payment`` has no origin any more; inside the transaction
payment_unlinked = Signal()


def register_payment_action(source: ActionSource) -> None:
    if source not in _actions:
        _actions.append(source)


def payment_actions(payment: Payment, person: Person) -> list[PaymentAction]:
    """What this person may do with it elsewhere."""
    found = (source(payment, person) for source in _actions)
    return [each for each in found if each]
