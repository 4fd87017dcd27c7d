"""Whose books are read: one company of a database that may hold several."""

from collections.abc import Sequence
from typing import Any

import msgspec

from erp_integrations.providers.errors import ConfigurationError, ProtocolError
from erp_integrations.providers.odoo.auth import Session
from erp_integrations.providers.odoo.client import LARGEST_ID, OdooClient, Question
from erp_integrations.providers.odoo.rows import fields

COMPANY, JOURNAL = "res.company", "account.journal"
#: more companies than anybody lists in an error message
MANY = 20


class Company(msgspec.Struct):
    id: int
    name: str


class _JournalRow(msgspec.Struct):
    id: int
    company_id: int


class Books:
    """The company that was entered, or the only one that the key's user sees."""

    def __init__(self, client: OdooClient, entered: str) -> None:
        self._client = client
        self._entered = entered
        self._seen: set[int] = set()
        self._company: Company | None = None
        #: the part of a domain that keeps to the company
        self.domain: Sequence[Any] = _clause("company_id", entered)

    def payments(self, session: Session) -> list[Any]:
        """The part of a domain that finds vendor payments of this company."""
        domain = [
            ("payment_type", "=", "outbound"),
            ("partner_type", "=", "supplier"),
            *self.domain,
        ]
        if "is_internal_transfer" in session.fields:
            domain.append(("is_internal_transfer", "=", False))
        return domain

    def shared(self) -> list[Any]:
        """The part of a domain for records that may be everybody's, such as vendors."""
        return ["|", ("company_id", "=", False), *self.domain] if self.domain else []

    def company(self) -> Company:
        """Raises ``ConfigurationError`` where it is not one."""
        if self._company is None:
            self._company = self._only_company()
        return self._company

    def _only_company(self) -> Company:
        domain = _clause("id" if _is_number(self._entered) else "name", self._entered)
        found = self._client.ask(Question(COMPANY, domain, fields("name"), MANY)).rows
        companies: list[Company] = [self._decoded(row, Company) for row in found]
        if not companies:
            raise ConfigurationError(
                f"The user of the key sees no such company in {self._client.name}. Check the "
                f"company in the settings, and the companies of that user in Odoo."
            )
        if len(companies) > 1:
            raise self._several([each.name for each in companies])
        return companies[0]

    def company_name(self) -> str:
        return self.company().name

    def require_sight(self) -> None:
        """Proof that an empty answer means empty books, not a user who sees none.

        Journals obey the same company rule as payments and bills, and nobody
        pays without one. Raises ``ConfigurationError``.
        """
        domain = [("type", "in", ("bank", "cash", "credit")), *self.domain]
        found = self._client.ask(Question(JOURNAL, domain, fields("company_id"), 1000)).rows
        if not found:
            raise ConfigurationError(
                f"The user of the key sees no bank journal in {self._client.name}, so what it sees "
                f"of the payments says nothing. Check the companies of that user in Odoo, and the "
                f"company in the settings of the connection."
            )
        self.require_one_company({self._decoded(row, _JournalRow).company_id for row in found})

    def require_one_company(self, companies: set[int]) -> None:
        """Two companies in one connection would mix two sets of books."""
        self._seen |= companies
        if len(self._seen) > 1 and not self._entered:
            raise self._several([])

    def _several(self, names: Sequence[str]) -> ConfigurationError:
        listed = f" ({', '.join(sorted(names))})" if names else ""
        return ConfigurationError(
            f"The user of the key sees several companies{listed} in {self._client.name}. Enter "
            f"one of them in the settings; each other one needs a connection of its own."
        )

    def _decoded(self, row: msgspec.Raw, form: Any) -> Any:
        try:
            return msgspec.json.decode(row, type=form)
        except ValueError as error:
            raise ProtocolError(
                f"{self._client.name} sent a record that cannot be read: {error}."
            ) from error


def _is_number(entered: str) -> bool:
    return entered.isascii() and entered.isdecimal() and int(entered) <= LARGEST_ID


def _clause(field: str, entered: str) -> list[Any]:
    """Company by number or by name; nothing was entered: every one that can be seen."""
    if not entered:
        return []
    if _is_number(entered):
        return [(field, "=", int(entered))]
    return [(f"{field}.name" if field == "company_id" else field, "=", entered)]
