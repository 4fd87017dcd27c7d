"""What rooms to the right add to the pages of commitments.

Commitments know nothing about payments or ERPs. A room that has something to
show on their pages registers it here, once, in its ``AppConfig.ready``::

    extensions.register_paid_amounts(on_commitment=..., on_invoice=...)
    extensions.register_tab(extensions.Tab(...))
    extensions.register_invoice_payments(payments_of_invoice)
    extensions.register_history(payment_events)
    extensions.register_payments_status(last_synced)
    extensions.register_payments_action(sync_button)
    extensions.register_import_names(names_of_runs)
    extensions.register_export_checklist(what_the_erp_needs)
    extensions.register_invoice_actions(unlink_from_the_erp)
"""

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol, TypeAlias, TypedDict

from django.db.models import QuerySet, Value
from django.db.models.expressions import Combinable

from commitments.models import Commitment, SubcontractorInvoice
from projects.access import Person
from projects.money import ZERO, MoneyField

#: makes a subquery expression that refers to the outer row with ``OuterRef("pk")``
Expression: TypeAlias = Callable[[], Combinable]


@dataclass(frozen=True)
class Tab:
    """A tab of a commitment: where it leads, how many rows it has, and when it is there."""

    code: str
    label: str
    #: reversed with the project's and the commitment's id
    url_name: str
    #: the number of rows, as a subquery of the commitment
    count: Expression
    is_shown: Callable[[Commitment], bool]


@dataclass(frozen=True)
class InvoicePayment:
    """A payment on the page of its invoice. ``remark``: what is special about it."""

    name: str
    url: str
    date: dt.date
    method: str
    check_number: str
    amount: Decimal
    currency: str
    is_counted: bool
    remark: str


class StatusLine(TypedDict):
    """One line for people, and where it leads (empty: nowhere)."""

    text: str
    url: str


@dataclass(frozen=True)
class ChecklistItem:
    """One thing that an invoice needs before it can be exported to the ERP.

    ``sentence`` says how things stand, done or missing. ``url`` leads
    to the place that cures it; empty where this person cannot do it.
    """

    code: str
    sentence: str
    is_done: bool
    url: str = ""
    link_label: str = ""


@dataclass(frozen=True)
class InvoiceAction:
    """A button on the page of an invoice, which sends an empty form to ``url``."""

    label: str
    url: str
    icon: str


class Fragment(Protocol):
    """Something to press next to payments; ``template`` is included with it as ``action``."""

    @property
    def template(self) -> str: ...


#: columns of the change history, in this order: a source gives ``values_list(*these)``;
#: ``changes`` is ``{label: [old, new]}``; ``import_id`` is the import that did it where no person
#: did (0: one that has no number)
HISTORY_COLUMNS = ("at", "row_id", "subject", "summary", "changes", "actor_id", "import_id")
HistorySource: TypeAlias = Callable[[Commitment], "QuerySet[Any, Any]"]
InvoicePaymentSource: TypeAlias = Callable[[SubcontractorInvoice, Person], list[InvoicePayment]]
#: the invoice is None on the page of the whole commitment
ActionSource: TypeAlias = Callable[
    [Commitment, SubcontractorInvoice | None, Person], Fragment | None
]
StatusSource: TypeAlias = Callable[[Commitment, Person], StatusLine | None]
InvoiceActionSource: TypeAlias = Callable[[SubcontractorInvoice, Person], list[InvoiceAction]]
ChecklistSource: TypeAlias = Callable[[SubcontractorInvoice, Person], list[ChecklistItem]]

#: what people call these imports, and where they are described for those who may look
ImportNames: TypeAlias = Callable[[Collection[int], Person], dict[int, StatusLine]]

_paid: dict[str, Expression] = {}
_tabs: dict[str, Tab] = {}
_invoice_payments: list[InvoicePaymentSource] = []
_history: list[HistorySource] = []
_statuses: list[StatusSource] = []
_actions: list[ActionSource] = []
_import_names: list[ImportNames] = []
_checklists: list[ChecklistSource] = []
_invoice_actions: list[InvoiceActionSource] = []


def register_paid_amounts(*, on_commitment: Expression, on_invoice: Expression) -> None:
    """Say what was paid per commitment and per invoice: *Payments Issued* and *Paid Amount*."""
    _paid.update(commitment=on_commitment, invoice=on_invoice)


def register_tab(tab: Tab) -> None:
    """Add a tab between *Invoices* and *Change History*."""
    _tabs[tab.code] = tab


def register_invoice_payments(source: InvoicePaymentSource) -> None:
    """Say which payments an invoice has; none where the person may not see them."""
    if source not in _invoice_payments:
        _invoice_payments.append(source)


def register_invoice_actions(source: InvoiceActionSource) -> None:
    """Add buttons to the page of an invoice; none where the person may not press them."""
    if source not in _invoice_actions:
        _invoice_actions.append(source)


def register_history(source: HistorySource) -> None:
    """Add rows to *Change History*; they are merged with the commitment's own in SQL."""
    if source not in _history:
        _history.append(source)


def register_payments_status(source: StatusSource) -> None:
    """Add one line above the payments, such as *Last synced 5 minutes ago*.

    ``source(commitment, user)`` gives ``{"text": ..., "url": ...}``, or None
    when there is nothing to say to this person. It is asked once a page, so it
    should cost one query. The text says what the person may know; the URL is
    empty for whoever may not go there.
    """
    if source not in _statuses:
        _statuses.append(source)


def register_import_names(source: ImportNames) -> None:
    """Say what the ``import_id`` of a history row is called; one query for a whole page."""
    if source not in _import_names:
        _import_names.append(source)


def import_names(ids: Collection[int], person: Person) -> dict[int, StatusLine]:
    """The names of these imports; those that nobody knows are left out."""
    found: dict[int, StatusLine] = {}
    for source in _import_names if ids else []:
        found |= source(ids, person)
    return found


def register_export_checklist(source: ChecklistSource) -> None:
    """Add what an invoice needs on the ERP's side to the checklist on its page.

    ``source(invoice, person)`` gives ``ChecklistItem``s in the order in which
    they are cured. It is asked on the page of one invoice, never in a list.
    """
    if source not in _checklists:
        _checklists.append(source)


def register_payments_action(source: ActionSource) -> None:
    """Add something to press above a commitment's payments and on an invoice's page.

    ``source(commitment, invoice, user)`` gives None to whoever may not press it.
    """
    if source not in _actions:
        _actions.append(source)


def paid_on(owner: str) -> Combinable:
    """What was paid on the outer ``commitment`` or ``invoice``; zero where nobody registered."""
    make = _paid.get(owner)
    return make() if make else Value(ZERO, output_field=MoneyField())


def tabs() -> list[Tab]:
    return list(_tabs.values())


def invoice_payments(invoice: SubcontractorInvoice, user: Person) -> list[InvoicePayment]:
    return [each for source in _invoice_payments for each in source(invoice, user)]


def invoice_actions(invoice: SubcontractorInvoice, user: Person) -> list[InvoiceAction]:
    return [each for source in _invoice_actions for each in source(invoice, user)]


def history_sources() -> list[HistorySource]:
    return list(_history)


def payments_statuses(commitment: Commitment, user: Person) -> list[StatusLine]:
    """The lines that this person gets to read above the payments of the commitment."""
    lines = (source(commitment, user) for source in _statuses)
    return [line for line in lines if line]


def export_checklist(invoice: SubcontractorInvoice, user: Person) -> list[ChecklistItem]:
    """What the rooms to the right want of the invoice before it can be exported."""
    return [item for source in _checklists for item in source(invoice, user)]


def payments_actions(
    commitment: Commitment, user: Person, invoice: SubcontractorInvoice | None = None
) -> list[Fragment]:
    """What this person can press about the payments of the commitment, or of its invoice."""
    found = (source(commitment, invoice, user) for source in _actions)
    return [each for each in found if each]
