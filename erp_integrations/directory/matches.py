"""Which record of the ERP could be which record here. Suggestions only: a person decides."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Upper

from commitments.models import Commitment
from erp_integrations.directory.linking import Record
from erp_integrations.directory.names import plain_name
from erp_integrations.models import DirectoryKind, ErpConnection, StagedRecord
from projects.models import Project, Vendor

#: suggestions on the page of one record
FEW = 8
#: unlinked records that are compared at once, and pairs that one page shows
MOST_COMPARED, MOST_SHOWN = 5000, 100
SAME_CODE, SAME_NAME, SAME_COMPANY = "Same code", "Same name", "Same company"


@dataclass(frozen=True)
class Match:
    """A record here and one of the ERP, and what they have in common."""

    record: Record
    staged: StagedRecord
    reasons: Sequence[str]

    @property
    def reason(self) -> str:
        return " · ".join(self.reasons)

    @property
    def value(self) -> str:
        """Both ids, for a checkbox."""
        return f"{self.record.pk}:{self.staged.pk}"


def code_of(record: Record) -> str:
    """What people call the record here."""
    return record.code if isinstance(record, Vendor) else record.number


def name_of(record: Record) -> str:
    return record.title if isinstance(record, Commitment) else record.name


def suggestions(connection: ErpConnection, kind: DirectoryKind, record: Record) -> list[Match]:
    """The ERP's records that look like this one, the likeliest first."""
    alike = Q(match_key=plain_name(name_of(record))[:300])
    if code := code_of(record):
        alike |= Q(code__iexact=code)
    if isinstance(record, Commitment) and record.vendor.origin_id:
        alike |= Q(vendor_ref=record.vendor.origin_id)
    rows = _free(connection, kind).filter(alike)[: FEW * 5]
    found = [Match(record, staged, _reasons(record, staged)) for staged in rows]
    return sorted(found, key=lambda match: _rank(match.reasons))[:FEW]


def exact_matches(
    connection: ErpConnection, kind: DirectoryKind, records: QuerySet[Any]
) -> tuple[list[Match], bool]:
    """Pairs that fit each other and nothing else, and whether there are more than shown.

    ``records``: those here that the person may see and that are not linked.
    Whatever fits two records on either side is left to a person.
    """
    ours: list[Record] = list(records[:MOST_COMPARED])
    pairs = _pairs(ours, _candidates(connection, kind, ours))
    here, there = defaultdict(list), defaultdict(list)
    for pair in pairs:
        here[pair.record.pk].append(pair)
        there[pair.staged.pk].append(pair)
    sure = [p for p in pairs if len(here[p.record.pk]) == 1 == len(there[p.staged.pk])]
    return sure[:MOST_SHOWN], len(sure) > MOST_SHOWN


def same_here(kind: DirectoryKind, company_id: int, staged: Iterable[Any]) -> dict[int, Record]:
    """By id of the ERP's record: a record here, not linked, of the same name or code."""
    rows = list(staged)
    names = {row.title.upper() for row in rows}
    codes = {row.code.upper() for row in rows if row.code}
    found: dict[str, Record] = {}
    for record in _unlinked_like(kind, company_id, names, codes):
        found[name_of(record).upper()] = record
        if code := code_of(record):
            found[code.upper()] = record
    by_row = {row.pk: found.get(row.code.upper()) or found.get(row.title.upper()) for row in rows}
    if kind == DirectoryKind.COMMITMENTS:
        by_row = {row.pk: found.get(row.code.upper()) for row in rows}
    return {pk: record for pk, record in by_row.items() if record is not None}


def _unlinked_like(
    kind: DirectoryKind, company_id: int, names: set[str], codes: set[str]
) -> QuerySet[Any]:
    """With what a vendor, project or commitment is called."""
    model: Any
    model, name, code = {
        DirectoryKind.VENDORS: (Vendor, "name", "code"),
        DirectoryKind.JOBS: (Project, "name", "number"),
        DirectoryKind.COMMITMENTS: (Commitment, "title", "number"),
    }[kind]
    rows = model.objects.filter(company_id=company_id, origin_id="")
    upper: QuerySet[Any] = rows.annotate(upper_name=Upper(name), upper_code=Upper(code))
    return upper.filter(Q(upper_name__in=names) | Q(upper_code__in=codes))


def _free(connection: ErpConnection, kind: DirectoryKind) -> QuerySet[StagedRecord]:
    rows = StagedRecord.objects.filter(connection=connection, kind=kind, gone_at=None)
    return rows.filter(archived_at=None).unlinked(kind)


def _candidates(
    connection: ErpConnection, kind: DirectoryKind, ours: list[Record]
) -> QuerySet[StagedRecord]:
    keys = {plain_name(name_of(record))[:300] for record in ours}
    codes = {code_of(record).upper() for record in ours if code_of(record)}
    rows = _free(connection, kind).annotate(upper_code=Upper("code"))
    return rows.filter(Q(match_key__in=keys) | Q(upper_code__in=codes))


def _pairs(ours: list[Record], theirs: Iterable[StagedRecord]) -> list[Match]:
    """All pairs that share a code or, for vendors and jobs, a name."""
    by_code, by_name = defaultdict(list), defaultdict(list)
    for staged in theirs:
        by_code[staged.code.upper()].append(staged)
        by_name[staged.match_key].append(staged)
    pairs = []
    for record in ours:
        alike = list(by_code[code_of(record).upper()]) if code_of(record) else []
        if not isinstance(record, Commitment):
            alike += by_name[plain_name(name_of(record))[:300]]
        unique = {staged.pk: staged for staged in alike}.values()
        pairs += [Match(record, each, _reasons(record, each)) for each in unique]
    return [pair for pair in pairs if _may_be_one(pair)]


def _may_be_one(pair: Match) -> bool:
    record, staged = pair.record, pair.staged
    if not isinstance(record, Commitment):
        return True
    vendor = record.vendor.origin_id
    return record.currency == staged.currency and vendor in ("", staged.vendor_ref)


def _reasons(record: Record, staged: StagedRecord) -> list[str]:
    reasons = []
    if code_of(record) and code_of(record).upper() == staged.code.upper():
        reasons.append(SAME_CODE)
    if plain_name(name_of(record))[:300] == staged.match_key:
        reasons.append(SAME_NAME)
    if isinstance(record, Commitment) and record.vendor.origin_id == staged.vendor_ref != "":
        reasons.append(SAME_COMPANY)
    return reasons


def _rank(reasons: Sequence[str]) -> tuple[int, int]:
    """Codes say most, then names; of the rest, those with more in common."""
    order = {SAME_CODE: 0, SAME_NAME: 1, SAME_COMPANY: 2}
    return min((order[reason] for reason in reasons), default=3), -len(reasons)
