"""Looking for payments in ERPNext by what somebody knows of them, on both roads of money."""

from collections.abc import Sequence

import msgspec

from erp_integrations.providers.contract import PaymentQuestion, RemotePayment
from erp_integrations.providers.erpnext import journals, mapper
from erp_integrations.providers.erpnext.client import ErpNextClient, Filter
from erp_integrations.providers.erpnext.mapper import ENTRY, JOURNAL
from erp_integrations.providers.erpnext.roads import ENTRY_FILTERS, Roads

#: lines of a journal entry that may come for each entry that fits
LINES_AN_ENTRY = 4


class _Named(msgspec.Struct):
    name: str


class PaymentSearch:
    """Two questions a road; what cannot be read is left out: a search is no sync."""

    def __init__(self, client: ErpNextClient, roads: Roads) -> None:
        self._client = client
        self._roads = roads

    def newest(self, question: PaymentQuestion, limit: int) -> list[RemotePayment]:
        found: list[RemotePayment] = []
        if names := self._entries(question, limit):
            found += self._roads.entries_named(names).payments
        if names := self._journals(question, limit):
            found += self._roads.journals_named(names).payments
        fitting = [each for each in found if _fits(each, question)]
        return sorted(fitting, key=lambda each: (each.date, each.remote_id), reverse=True)[:limit]

    def _entries(self, question: PaymentQuestion, limit: int) -> list[str]:
        filters: list[Filter] = [*ENTRY_FILTERS, *self._roads.of_company]
        if question.amount is not None:
            filters.append(("received_amount", "=", question.amount))
        if question.vendor:
            filters.append(("party_name", "like", f"%{question.vendor}%"))
        either = _numbered(question, "reference_no")
        return self._names(ENTRY, filters, either, limit)

    def _journals(self, question: PaymentQuestion, limit: int) -> list[str]:
        line = journals.LINE
        filters: list[Filter] = [
            (line, "party_type", "=", mapper.SUPPLIER),
            *self._roads.of_company,
        ]
        if question.vendor:
            filters.append((line, "party", "like", f"%{question.vendor}%"))
        either = _numbered(question, "cheque_no")
        if question.amount is not None and not either:
            # Frappe has one "or" in a question; beside a number the amount is looked at here
            either = [
                ("total_debit", "=", question.amount),
                (line, "debit_in_account_currency", "=", question.amount),
            ]
        return self._names(JOURNAL, filters, either, limit * LINES_AN_ENTRY)

    def _names(
        self, doctype: str, filters: Sequence[Filter], either: Sequence[Filter], limit: int
    ) -> list[str]:
        order = f"`tab{doctype}`.creation desc"
        found = self._client.records(
            _Named, doctype, filters, or_filters=either, order=order, limit=limit
        )
        return list(dict.fromkeys(each.name for each in found))


def _numbered(question: PaymentQuestion, field: str) -> list[Filter]:
    if not question.number:
        return []
    return [(field, "like", f"%{question.number}%"), ("name", "=", question.number)]


def _fits(payment: RemotePayment, question: PaymentQuestion) -> bool:
    """% and _ cannot be escaped in a question to Frappe, so they are taken literally here."""
    return (
        (
            question.number.lower() in payment.check_number.lower()
            or question.number == payment.number
        )
        and question.vendor.lower() in payment.vendor_name.lower()
        and question.amount in (None, payment.total)
    )
