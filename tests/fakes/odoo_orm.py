"""The part of Odoo's ORM that a reader meets: domains, order, ``read`` and ``web_read``.

Records are kept as Odoo's tables keep them: a many2one as an id or ``False``,
what is found by a field of another table is found when it is asked for. A field
that is not in ``SCALARS``, ``MANY2ONE`` or ``TO_MANY`` does not exist, and asking
for it is the error that Odoo makes of it.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

Record = dict[str, Any]
#: scalars of every table
LOGGED = {"id", "display_name", "create_date", "write_date"}

SCALARS: dict[str, set[str]] = {
    "account.payment": {
        "name", "state", "payment_type", "partner_type", "date", "amount", "memo",
        "payment_reference", "is_reconciled", "is_matched", "payment_method_code",
    },
    "account.move": {
        "name", "ref", "state", "payment_state", "move_type", "date", "invoice_date",
        "invoice_date_due", "amount_untaxed", "amount_tax", "amount_total", "amount_residual",
        "invoice_origin", "narration", "invoice_payments_widget",
    },
    "account.move.line": {
        "name", "debit", "credit", "amount_currency", "amount_residual", "account_type",
        "parent_state", "quantity", "price_unit",
    },
    "account.partial.reconcile": {
        "amount", "debit_amount_currency", "credit_amount_currency", "max_date",
    },
    "account.full.reconcile": set(),
    "account.journal": {"name", "type", "code"},
    "res.company": {"name"},
    "res.currency": {"name", "active"},
    "res.partner": {"name", "ref", "supplier_rank", "active", "is_company"},
    "account.payment.term": {"name"},
    "account.analytic.account": {"name", "code", "active"},
    "purchase.order": {
        "name", "partner_ref", "state", "amount_total", "invoice_status", "date_approve", "notes",
    },
    "purchase.order.line": {"name", "product_qty", "price_subtotal", "qty_invoiced"},
}  # fmt: skip
MANY2ONE: dict[str, dict[str, str]] = {
    "account.payment": {
        "partner_id": "res.partner",
        "currency_id": "res.currency",
        "journal_id": "account.journal",
        "company_id": "res.company",
        "move_id": "account.move",
    },
    "account.move": {
        "partner_id": "res.partner",
        "commercial_partner_id": "res.partner",
        "currency_id": "res.currency",
        "journal_id": "account.journal",
        "company_id": "res.company",
    },
    "account.move.line": {
        "move_id": "account.move",
        "payment_id": "account.payment",
        "partner_id": "res.partner",
        "currency_id": "res.currency",
        "company_id": "res.company",
        "full_reconcile_id": "account.full.reconcile",
    },
    "account.partial.reconcile": {
        "debit_move_id": "account.move.line",
        "credit_move_id": "account.move.line",
        "exchange_move_id": "account.move",
        "company_id": "res.company",
    },
    "account.journal": {"company_id": "res.company", "currency_id": "res.currency"},
    "res.company": {"currency_id": "res.currency"},
    "res.partner": {
        "company_id": "res.company",
        "parent_id": "res.partner",
        "commercial_partner_id": "res.partner",
        "property_supplier_payment_term_id": "account.payment.term",
    },
    "account.analytic.account": {"company_id": "res.company"},
    "purchase.order": {
        "partner_id": "res.partner",
        "currency_id": "res.currency",
        "company_id": "res.company",
    },
    "purchase.order.line": {"order_id": "purchase.order"},
}
#: (other table, its field that points back); without one the ids are kept on the record
TO_MANY: dict[str, dict[str, tuple[str, str]]] = {
    "account.payment": {
        "invoice_ids": ("account.move", ""),
        "reconciled_bill_ids": ("account.move", ""),
    },
    "account.move": {
        "line_ids": ("account.move.line", "move_id"),
        "matched_payment_ids": ("account.payment", ""),
        "reconciled_payment_ids": ("account.payment", ""),
    },
    "account.move.line": {
        "matched_debit_ids": ("account.partial.reconcile", "credit_move_id"),
        "matched_credit_ids": ("account.partial.reconcile", "debit_move_id"),
    },
    "purchase.order": {"invoice_ids": ("account.move", "")},
    "purchase.order.line": {"invoice_lines": ("account.move.line", "")},
}
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    ">": lambda left, right: left is not False and left > right,
    ">=": lambda left, right: left is not False and left >= right,
    "<": lambda left, right: left is not False and left < right,
    "<=": lambda left, right: left is not False and left <= right,
    "in": lambda left, right: left in right,
    "not in": lambda left, right: left not in right,
    "ilike": lambda left, right: bool(left) and _is_like(str(left), f"%{right}%"),
}


class OdooError(Exception):
    """``name`` is the class of Odoo's exception; ``status`` is what JSON-2 makes of it."""

    def __init__(self, name: str, message: str, status: int = 500) -> None:
        super().__init__(message)
        self.name, self.message, self.status = name, message, status


class Tables:
    """The records of one database."""

    def __init__(self, version: int = 19) -> None:
        self.rows: dict[str, dict[int, Record]] = {model: {} for model in SCALARS}
        self.scalars = {model: names | LOGGED for model, names in SCALARS.items()}
        self.many2one = {model: dict(MANY2ONE.get(model, {})) for model in SCALARS}
        self.to_many = {model: dict(TO_MANY.get(model, {})) for model in SCALARS}
        if version < 18:
            # A payment was an entry with a few fields more, and its note the entry's.
            self.scalars["account.payment"] -= {"memo"}
            self.scalars["account.payment"] |= {"ref", "is_internal_transfer"}
            self.to_many["account.payment"].pop("invoice_ids")
            self.to_many["account.move"].pop("matched_payment_ids")

    def insert(self, model: str, record_id: int, **values: Any) -> Record:
        """A record with every scalar of its table; what is not given is ``False``."""
        row = dict.fromkeys(self.scalars[model] | set(self.many2one[model]), False)
        kept: Record = {name: [] for name, (_, back) in self.to_many[model].items() if not back}
        row |= kept | {"display_name": f"{model},{record_id}"} | values | {"id": record_id}
        self.rows[model][record_id] = row
        return row

    # ------------------------------------------------------------------ values
    def value(self, model: str, record: Record, name: str) -> Any:
        """As the tables have it: an id or False, a list of ids, a scalar."""
        if name in self.to_many[model]:
            other, back = self.to_many[model][name]
            if not back:
                return record[name]
            found = self.rows[other].values()
            return [each["id"] for each in found if each[back] == record["id"]]
        if name in self.scalars[model] or name in self.many2one[model]:
            return record[name]
        raise OdooError("builtins.ValueError", f"Invalid field {name!r} on {model!r}")

    def require_fields(self, model: str, names: Iterable[str]) -> None:
        known = self.scalars[model] | set(self.many2one[model]) | set(self.to_many[model])
        for name in names:
            if name not in known:
                raise OdooError("builtins.ValueError", f"Invalid field {name!r} on {model!r}")

    def comodel(self, model: str, name: str) -> str:
        if name in self.to_many[model]:
            return self.to_many[model][name][0]
        return self.many2one[model].get(name, "")

    # ------------------------------------------------------------------ search
    def search(
        self, model: str, domain: Sequence[Any], order: str = "", offset: int = 0, limit: Any = None
    ) -> list[Record]:
        matches = self._domain(model, domain)
        found = [row for row in self.rows[model].values() if matches(row)]
        for part in reversed([each.split() for each in (order or "id").split(",")]):
            name, descending = part[0], part[1:] == ["desc"]
            if name not in self.scalars[model] and name not in self.many2one[model]:
                raise OdooError("builtins.ValueError", f"Invalid field {name!r} on model {model!r}")
            found.sort(key=lambda row: (row[name] or 0, 0)[0], reverse=descending)
        return found[offset : offset + limit if limit else None]

    def _domain(self, model: str, domain: Sequence[Any]) -> Callable[[Record], bool]:
        rest = list(domain)
        terms: list[Callable[[Record], bool]] = []
        while rest:
            terms.append(self._term(model, rest))
        return lambda row: all(term(row) for term in terms)

    def _term(self, model: str, rest: list[Any]) -> Callable[[Record], bool]:
        head = rest.pop(0)
        if head == "!":
            only = self._term(model, rest)
            return lambda row: not only(row)
        if head in ("|", "&"):
            one, two = self._term(model, rest), self._term(model, rest)
            return (
                (lambda row: one(row) or two(row))
                if head == "|"
                else (lambda row: one(row) and two(row))
            )
        if not isinstance(head, list) or len(head) != 3:
            raise OdooError("builtins.ValueError", f"Domain() invalid item in domain: {head!r}")
        return self._condition(model, head)

    def _condition(self, model: str, condition: list[Any]) -> Callable[[Record], bool]:
        path, operator, right = condition
        self._require_path(model, path, condition)
        compare = COMPARISONS[operator]
        return lambda row: any(compare(left, right) for left in self._leaves(model, row, path))

    def _require_path(self, model: str, path: str, condition: list[Any]) -> None:
        for name in path.split("."):
            known = self.scalars.get(model, set()) | set(self.many2one.get(model, {}))
            if name not in known | set(self.to_many.get(model, {})):
                said = f"('{path}', {condition[1]!r}, {condition[2]!r})"
                raise OdooError(
                    "builtins.ValueError", f"Invalid field {model}.{name} in condition {said}"
                )
            model = self.comodel(model, name)

    def _leaves(self, model: str, row: Record, path: str) -> Iterable[Any]:
        name, _, rest = path.partition(".")
        value = self.value(model, row, name)
        values = value if isinstance(value, list) else [value]
        if not rest:
            yield from values
            return
        other = self.comodel(model, name)
        for each in values:
            if each and each in self.rows[other]:
                yield from self._leaves(other, self.rows[other][each], rest)

    # -------------------------------------------------------------------- read
    def read(self, model: str, records: Iterable[Record], names: Sequence[str]) -> list[Record]:
        """As ``read`` and ``search_read`` tell it: a many2one with its name."""
        return [
            {"id": row["id"]} | {name: self._told(model, row, name) for name in names}
            for row in records
        ]

    def _told(self, model: str, row: Record, name: str) -> Any:
        value = self.value(model, row, name)
        if name in self.many2one[model] and value:
            return [value, self.rows[self.comodel(model, name)][value]["display_name"]]
        return value

    def web_read(self, model: str, records: Iterable[Record], spec: Any) -> list[Record]:
        """As ``web_read`` tells it: ids, or records with fields of their own."""
        return [
            {"id": row["id"]}
            | {name: self._nested(model, row, name, each) for name, each in spec.items()}
            for row in records
        ]

    def _nested(self, model: str, row: Record, name: str, spec: Any) -> Any:
        value, other = self.value(model, row, name), self.comodel(model, name)
        if not other or "fields" not in spec or value is False:
            return value
        ids = value if isinstance(value, list) else [value]
        found = self.web_read(other, [self.rows[other][each] for each in ids], spec["fields"])
        return found if isinstance(value, list) else found[0]


def _is_like(text: str, pattern: str) -> bool:
    """SQL's ILIKE: % and _ are wild unless a backslash stands before them."""
    wild = {"%": ".*", "_": "."}
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    regex = "".join(
        re.escape(part[1:]) if len(part) == 2 else wild.get(part, re.escape(part)) for part in parts
    )
    return re.fullmatch(regex, text, re.DOTALL | re.IGNORECASE) is not None
