"""Looking for payments by what somebody knows of them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from erp_integrations.providers.acumatica import mapper
from erp_integrations.providers.acumatica.client import AcumaticaClient
from erp_integrations.providers.acumatica.questions import (
    any_of,
    both,
    contains,
    moment,
    number,
    text,
)
from erp_integrations.providers.acumatica.vendors import Vendors
from erp_integrations.providers.contract import PaymentQuestion, RemotePayment

DETAILS = "Details,History"
#: Acumatica gives the oldest numbers first, so the last months are asked before everything
RECENT = timedelta(days=120)
#: documents that one question of a search may bring
MOST = 100
#: vendors whose payments are looked at
VENDORS = 25


class PaymentSearch:
    """At most three questions, and one for vendors' names; what cannot be read is left out."""

    def __init__(
        self,
        client: AcumaticaClient,
        vendors: Vendors,
        mapped: Callable[[Sequence[msgspec.Raw]], mapper.Mapped],
    ) -> None:
        self._client, self._vendors, self._mapped = client, vendors, mapped

    def newest(self, question: PaymentQuestion, limit: int) -> list[RemotePayment]:
        clauses = self._clauses(question)
        if clauses is None:
            return []
        recent = f"ApplicationDate ge {moment(datetime.now(UTC) - RECENT)}"
        found = self._found([*clauses, recent])
        if len(found) < limit:
            found |= self._found(clauses)
        ordered = sorted(found.values(), key=lambda each: (each.date, each.number), reverse=True)
        return ordered[:limit]

    def _found(self, clauses: Sequence[str]) -> dict[str, RemotePayment]:
        rows = self._client.with_details("Check", where=both(*clauses), expand=DETAILS, top=MOST)
        return {each.remote_id: each for each in self._mapped(rows.rows).payments}

    def _clauses(self, question: PaymentQuestion) -> list[str] | None:
        """None: no vendor has such a name, so no payment fits."""
        clauses: list[str] = []
        if question.number:
            known = [contains("PaymentRef", question.number)]
            known += [f"ReferenceNbr eq {text(question.number)}"]
            clauses.append(f"({' or '.join(known)})")
        if question.amount is not None:
            clauses.append(f"PaymentAmount eq {number(question.amount)}")
        if question.vendor:
            codes = [each.code for each in self._vendors.all(question.vendor, at_most=VENDORS)]
            if not codes:
                return None
            clauses.append(f"({next(any_of('Vendor', codes, VENDORS))})")
        return clauses
