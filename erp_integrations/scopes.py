"""What a sync is narrowed to, and what somebody asks of it besides."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from commitments.models import Commitment, SubcontractorInvoice
from erp_integrations.models import ErpConnection, RunMode, SyncRun
from erp_integrations.models.run import WHOLE_MODES
from erp_integrations.providers.registry import find_provider
from projects.models import Project


@dataclass(frozen=True)
class Scope:
    """One project, one commitment or one invoice; with none of them, everything."""

    project: Project | None = None
    commitment: Commitment | None = None
    invoice: SubcontractorInvoice | None = None

    def __bool__(self) -> bool:
        return self != EVERYTHING

    @property
    def right_on(self) -> Project | None:
        """The project on which somebody must be allowed to sync; None: any of the company."""
        narrower = self.commitment or self.invoice
        return narrower.project if narrower else self.project

    @property
    def name(self) -> str:
        """As it stands in a sentence; empty for everything."""
        if self.invoice:
            return f"invoice {self.invoice.invoice_number}"
        if self.commitment:
            return f"commitment {self.commitment.number}"
        return f"project {self.project}" if self.project else ""

    def within(self, rows: Any, invoice: str = "") -> Any:
        """Those rows that belong here; ``invoice`` leads from a row to its invoice."""
        path = f"{invoice}__" if invoice else ""
        if self.invoice:
            return rows.filter(**{f"{path}pk": self.invoice.pk})
        if self.commitment:
            return rows.filter(**{f"{path}commitment": self.commitment})
        return rows.filter(**{f"{path}project": self.project}) if self.project else rows


EVERYTHING = Scope()


def scope_of(run: SyncRun) -> Scope:
    return Scope(run.project, run.commitment, run.invoice)


@dataclass(frozen=True)
class Order:
    """What a run is asked to do."""

    mode: RunMode
    scope: Scope = EVERYTHING
    since: dt.date | None = None
    is_preview: bool = False

    def fits(self, run: SyncRun) -> bool:
        """Whether a run does what is asked; which of the whole modes it has does not matter."""
        same_mode = run.mode == self.mode or {run.mode, self.mode} <= set(WHOLE_MODES)
        return (
            same_mode
            and run.is_preview == self.is_preview
            and run.since == self.since
            and scope_of(run) == self.scope
        )


def can_be_narrowed(connection: ErpConnection) -> bool:
    """Whether the ERP can be asked for the payments of some bills only."""
    provider = find_provider(connection.provider)
    return provider is not None and provider.capabilities.scoped_sync


def order_of(run: SyncRun) -> Order:
    """The order that a run was made from, to be given again."""
    return Order(RunMode(run.mode), scope_of(run), run.since, run.is_preview)
