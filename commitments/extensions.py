"""Where rooms to the right add to the pages of commitments.

Imports go one way only (commitments ← payments), so this room cannot ask for
payments. It offers places instead, and whoever has something to add registers
it once, in its ``AppConfig.ready``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Expression, QuerySet, Value

from commitments.models import Commitment, SubcontractorInvoice
from projects.access import Person
from projects.money import ZERO, MoneyField

#: what every row of a history source has, in this order (see ``HistorySource``)
HISTORY_COLUMNS = ("happened_at", "who", "about", "what", "details")


@dataclass(frozen=True)
class Tab:
    """One more tab of a commitment; ``url_name`` takes the project's and the commitment's id.

    ``count`` makes the expression of the number behind the label, correlated to
    the commitment. ``is_shown`` false: the tab is not there.
    """

    name: str
    label: str
    url_name: str
    count: Callable[[], Expression]
    is_shown: Callable[[Commitment], bool]
    #: what administrators read instead of a tab that is not shown
    hint: str = ""


@dataclass(frozen=True)
class InvoicePanel:
    """One more section of an invoice's page: a template and what it needs."""

    template: str
    context: Callable[[Person, SubcontractorInvoice], dict[str, Any]]


#: rows of one commitment's history, as ``values_list`` of HISTORY_COLUMNS: an aware date and time,
#: the id of a person or None, two texts, and ``{label: [old, new]}``
HistorySource = Callable[[Commitment], QuerySet[Any, Any]]
#: makes an expression of the amount paid, correlated to a commitment or an invoice
Amount = Callable[[], Expression]

_tabs: list[Tab] = []
_invoice_panels: list[InvoicePanel] = []
_history_sources: list[HistorySource] = []
_paid: dict[str, Amount] = {}


def add_tab(tab: Tab) -> None:
    _tabs.append(tab)


def added_tabs() -> tuple[Tab, ...]:
    return tuple(_tabs)


def add_invoice_panel(panel: InvoicePanel) -> None:
    _invoice_panels.append(panel)


def invoice_panels() -> tuple[InvoicePanel, ...]:
    return tuple(_invoice_panels)


def add_history_source(source: HistorySource) -> None:
    _history_sources.append(source)


def history_sources() -> tuple[HistorySource, ...]:
    return tuple(_history_sources)


def register_paid_amounts(*, of_commitment: Amount, of_invoice: Amount) -> None:
    """Say how much was paid; until somebody does, nothing was."""
    _paid.update(commitment=of_commitment, invoice=of_invoice)


def paid_on_commitment() -> Expression:
    """*Payments Issued* of a commitment, for ``annotate``."""
    return _paid["commitment"]() if _paid else _nothing()


def paid_on_invoice() -> Expression:
    """*Paid Amount* of an invoice, for ``annotate``."""
    return _paid["invoice"]() if _paid else _nothing()


def _nothing() -> Expression:
    return Value(ZERO, output_field=MoneyField())
