"""Looking for payments in Tryton by what somebody knows of them, on both roads of money."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from erp_integrations.providers.contract import PaymentQuestion, RemotePayment
from erp_integrations.providers.tryton import mapper
from erp_integrations.providers.tryton.client import TrytonClient
from erp_integrations.providers.tryton.walk import STREAMS

NEWEST_FIRST = (("id", "DESC"),)
Mapping = Callable[[Sequence[msgspec.Raw]], mapper.Mapped]


class PaymentSearch:
    """Two questions, one a road; what cannot be read is left out: a search is no sync."""

    def __init__(self, client: TrytonClient, mapped: Mapping) -> None:
        self._client = client
        self._mapped = mapped

    def newest(self, question: PaymentQuestion, limit: int) -> list[RemotePayment]:
        payments, bills = STREAMS
        found = self._mapped(self._rows(payments.model, _payments(question), limit)).payments
        lines = mapper.bill_payments(self._rows(bills.model, _bills(question), limit)).payments
        found += [each for each in lines if _fits(each, question)]
        return sorted(found, key=lambda each: (each.date, each.remote_id), reverse=True)[:limit]

    def _rows(self, model: str, clauses: Sequence[Any], limit: int) -> list[msgspec.Raw]:
        stream = next(each for each in STREAMS if each.model == model)
        domain = (*stream.domain, *clauses)
        found = self._client.search(model, domain, stream.fields, size=limit, order=NEWEST_FIRST)
        return found.rows


def _payments(question: PaymentQuestion) -> list[Any]:
    clauses: list[Any] = []
    if question.number:
        like = _like(question.number)
        clauses.append(("OR", ("reference", "ilike", like), ("number", "=", question.number)))
    if question.amount is not None:
        clauses.append(("amount", "=", _decimal(question.amount)))
    if question.vendor:
        clauses.append(("party.name", "ilike", _like(question.vendor)))
    return clauses


def _bills(question: PaymentQuestion) -> list[Any]:
    """Bills with such a line; which of their lines it is, is seen when they are here."""
    clauses: list[Any] = []
    if question.number:
        like = _like(question.number)
        clauses.append(
            (
                "OR",
                ("payment_lines.description", "ilike", like),
                ("payment_lines.move.description", "ilike", like),
                ("payment_lines.move.number", "=", question.number),
            )
        )
    if question.amount is not None:
        amount = _decimal(question.amount)
        same = [("payment_lines.debit", "=", amount)]
        same.append(("payment_lines.amount_second_currency", "=", amount))
        clauses.append(("OR", *same))
    if question.vendor:
        clauses.append(("party.name", "ilike", _like(question.vendor)))
    return clauses


def _fits(payment: RemotePayment, question: PaymentQuestion) -> bool:
    number = question.number.lower()
    known = f"{payment.check_number}\n{payment.memo}".lower()
    return (number in known or question.number == payment.number) and (
        question.amount is None or question.amount == payment.total
    )


def _like(text: str) -> str:
    """A part of a text; % and _ have no other meaning in it."""
    literal = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{literal}%"


def _decimal(amount: Decimal) -> dict[str, str]:
    return {"__class__": "Decimal", "decimal": str(amount)}
