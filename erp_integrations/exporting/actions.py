"""What the buttons above the list do to the ticked rows, each by itself."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.dateparse import parse_date

from commitments.erp_states import reject
from commitments.models import SubcontractorInvoice
from erp_integrations.exporting import services
from erp_integrations.exporting.unlinking import unlink
from erp_integrations.invoice_list import Entry, entry_of
from projects.models import User

LONGEST_TYPED = 200


@dataclass
class Outcome:
    """What became of each row: the ones that were done, and why the others were not."""

    done: list[SubcontractorInvoice] = field(default_factory=list)
    refused: dict[int, Entry] = field(default_factory=dict)

    @property
    def numbers(self) -> str:
        return ", ".join(invoice.invoice_number for invoice in self.done)


def ticked(data: QueryDict) -> list[int]:
    return [int(each) for each in data.getlist("invoice") if is_id(each)]


def is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def export_rows(data: QueryDict, invoices: list[Any], by: User) -> Outcome:
    """Accept each row with the ERP ID and the accounting date that were typed in it."""
    outcome = Outcome()
    for invoice in invoices:
        number = data.get(f"erp_number-{invoice.pk}", invoice.invoice_number)[:LONGEST_TYPED]
        typed = data.get(f"accounting_date-{invoice.pk}", invoice.billing_date.isoformat())
        try:
            services.accept(invoice=invoice, erp_number=number, accounting_date=_date(typed), by=by)
            outcome.done.append(invoice)
        except ValidationError as error:
            sentence = " ".join(error.messages)
            outcome.refused[invoice.pk] = Entry(number, typed[:10], sentence)
    return outcome


def reject_rows(data: QueryDict, invoices: list[Any], by: User) -> Outcome:
    """All with the same reason; every one says for itself whether it can be."""
    outcome, reason = Outcome(), data.get("reason", "")
    for invoice in invoices:
        try:
            reject(invoice=invoice, reason=reason, by=by)
            outcome.done.append(invoice)
        except ValidationError as error:
            outcome.refused[invoice.pk] = entry_of(invoice)._replace(
                refusal=" ".join(error.messages)
            )
    return outcome


def unlink_row(invoice: SubcontractorInvoice, by: User) -> str:
    """The sentence for the banner; raises ``ValidationError`` with the red one."""
    unlink(invoice=invoice, by=by)
    return "Successfully Unlinked"


def _date(text: str) -> dt.date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None
