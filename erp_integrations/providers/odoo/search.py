"""Looking for payments in Odoo by what somebody knows of them."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from erp_integrations.providers.contract import PaymentQuestion, RemotePayment
from erp_integrations.providers.odoo import mapper
from erp_integrations.providers.odoo.auth import Session
from erp_integrations.providers.odoo.client import PAYMENT, OdooClient, Question
from erp_integrations.providers.odoo.rows import payment_fields


def newest_first(
    client: OdooClient,
    payments: Callable[[Session], Sequence[Any]],
    question: PaymentQuestion,
    limit: int,
) -> list[RemotePayment]:
    """What cannot be read is left out: a search is no sync."""

    def asked(session: Session) -> Question:
        domain = [*payments(session), *_clauses(session, question)]
        fields = payment_fields(session)
        return Question(PAYMENT, domain, fields, limit, order="date desc, id desc")

    return mapper.payments(client.records(asked).rows).payments


def _clauses(session: Session, question: PaymentQuestion) -> list[Any]:
    clauses: list[Any] = []
    if question.number:
        like = ("ilike", literal(question.number))
        known = [(session.memo, *like), ("payment_reference", *like)]
        if session.prints_checks:
            known.append(("check_number", *like))
        known.append(("name", "=", question.number))
        clauses += ["|"] * (len(known) - 1) + known
    if question.amount is not None:
        # As it is written: a float would be another number.
        clauses.append(("amount", "=", msgspec.Raw(f"{question.amount:f}".encode())))
    if question.vendor:
        clauses.append(("partner_id.name", "ilike", literal(question.vendor)))
    return clauses


def literal(text: str) -> str:
    """A text without the meaning that % and _ have in a pattern; ``ilike`` adds its own %."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
