"""The two roads to money in ERPNext, read as one list of payments.

``Payment Entry`` is the usual one; a ``Journal Entry`` may pay a bill as well.
No money is on both: the journal entries that ERPNext makes by itself, for a
payment's exchange differences, take nothing from a bank account.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from erp_integrations.providers.contract import Page, RemotePayment
from erp_integrations.providers.erpnext import journals, mapper
from erp_integrations.providers.erpnext.client import ErpNextClient, Filter
from erp_integrations.providers.erpnext.mapper import BILL, ENTRY, JOURNAL, Group, Mapped
from erp_integrations.providers.erpnext.site import Site
from erp_integrations.providers.errors import RecordError, RecordNotFound

ENTRY_FILTERS: tuple[Filter, ...] = (
    ("payment_type", "=", "Pay"),
    ("party_type", "=", mapper.SUPPLIER),
)
ENTRIES_BY_NAME = f"`tab{ENTRY}`.name asc, `tab{mapper.REFERENCE}`.idx asc"
JOURNALS_BY_NAME = f"`tab{JOURNAL}`.name asc, `tab{journals.LINE}`.idx asc"


class _BillNumber(msgspec.Struct):
    name: str
    bill_no: str | None = None


class _Deleted(msgspec.Struct):
    deleted_doctype: str
    data: str


class Roads:
    """Makes payments of what was found on either road."""

    def __init__(self, client: ErpNextClient, site: Site) -> None:
        self._client = client
        self._site = site

    @property
    def of_company(self) -> list[Filter]:
        return [("company", "=", self._site.company)] if self._site.company else []

    # ---------------------------------------------------------- Payment Entries
    def entries(self, groups: Sequence[Group]) -> Mapped:
        return mapper.entries(groups, self._utc)

    def entries_named(self, names: Sequence[str]) -> Mapped:
        """Whole payments, however many bills they are for."""
        rows = self._client.rows(
            ENTRY,
            mapper.ENTRY_FIELDS,
            [*ENTRY_FILTERS, *self.of_company, ("name", "in", list(names))],
            order=ENTRIES_BY_NAME,
        ).rows
        groups, lost = mapper.grouped(rows)
        return with_lost(self.entries(groups), lost)

    def entry(self, remote_id: str) -> RemotePayment:
        """Raises ``RecordNotFound``, also where the name belongs to another payment now."""
        raw = self._document(ENTRY, mapper.name_in(remote_id))
        try:
            if mapper.is_to_supplier(raw, self._site.company):
                found = mapper.entry(raw, self._utc)
                if found.remote_id == remote_id:
                    return found
        except (ValueError, ArithmeticError) as error:
            raise unreadable("payment", raw, error) from error
        raise self.gone()

    # ---------------------------------------------------------- Journal Entries
    def journals_named(self, names: Sequence[str]) -> Mapped:
        """One question, and one each for the bills' numbers and for accounts without a type."""
        rows = self._client.rows(
            JOURNAL,
            journals.FIELDS,
            [*self.of_company, ("name", "in", list(names))],
            order=JOURNALS_BY_NAME,
        ).rows
        groups, lost = mapper.grouped(rows, moment="creation")
        found, mapped = journals.read(groups)
        made = self._payments(found)
        made.rejected.extend(mapped.rejected)
        return with_lost(made, lost)

    def journal(self, remote_id: str) -> RemotePayment:
        """See ``entry``."""
        raw = self._document(JOURNAL, mapper.name_in(remote_id.rpartition("-")[0]))
        try:
            made = self._payments([journals.document(raw)])
        except ValueError as error:
            raise unreadable("journal", raw, error) from error
        for each in made.payments:
            if each.remote_id == remote_id:
                return each
        for rejected in made.rejected:
            raise RecordError(rejected.reason, detail=rejected.raw)
        raise self.gone()

    def _payments(self, entries: Sequence[journals.Entry]) -> Mapped:
        numbers = self._numbers(journals.bills_of(entries))
        money = self._site.money_accounts(journals.doubtful_accounts(entries))
        return journals.payments(entries, self._utc, numbers, money)

    def _numbers(self, bills: Sequence[str]) -> dict[str, str]:
        """What vendors call these bills: lines of journal entries do not say it."""
        if not bills:
            return {}
        found = self._client.records(_BillNumber, BILL, [("name", "in", list(bills))])
        return {each.name: each.bill_no or "" for each in found}

    # --------------------------------------------------------------- tombstones
    def deleted(self, groups: Sequence[Group]) -> list[str]:
        """Ids of what was deleted, from the document that ERPNext keeps in its tombstone."""
        ids: list[str] = []
        for group in groups:
            try:
                tomb = msgspec.json.decode(group.rows[0], type=_Deleted)
                ids += _ids_in(tomb)
            except ValueError:
                continue  # a sweep finds it all the same
        return ids

    # ------------------------------------------------------------------- common
    def gone(self) -> RecordNotFound:
        return RecordNotFound(f"{self._client.name} does not know this payment any more.")

    def _document(self, doctype: str, name: str) -> msgspec.Raw:
        try:
            return self._client.document(doctype, name)
        except RecordNotFound:
            self._site.require_sight()
            raise

    def _utc(self, text: str) -> datetime:
        return self._site.time().utc(text, self._client.server_time)


def _ids_in(tomb: _Deleted) -> list[str]:
    document = msgspec.Raw(tomb.data.encode())
    if tomb.deleted_doctype == JOURNAL:
        return journals.ids_in(document)
    key = msgspec.json.decode(document, type=mapper.Key)
    return [mapper.remote_id("payment", key.name, key.creation)]


def with_lost(mapped: Mapped, lost: Sequence[msgspec.Raw]) -> Mapped:
    """Rows that do not say whose they are become issues without an id."""
    error = ValueError("it has no name")
    mapped.rejected.extend(mapper.rejected("payment", raw, error) for raw in lost)
    return mapped


def page_of(mapped: Mapped) -> Page:
    return Page(mapped.payments, mapped.rejected, {})


def unreadable(kind: mapper.Kind, raw: msgspec.Raw, error: Exception) -> RecordError:
    rejected = mapper.rejected(kind, raw, error)
    return RecordError(rejected.reason, detail=rejected.raw)
