"""Connections to ERPs, what they said, and the runs that asked them."""

from erp_integrations.models.connection import ErpConnection, SyncSchedule
from erp_integrations.models.connection_event import ConnectionEvent
from erp_integrations.models.directory import DirectoryKind, DirectoryRefresh, StagedRecord
from erp_integrations.models.dropped import (
    DroppedFile,
    DroppedPayment,
    DroppedProblem,
    FileMapping,
    FileSighting,
    FileSource,
    FileState,
    ProblemKind,
    WatchedPlace,
)
from erp_integrations.models.export import ExportState, InvoiceExport
from erp_integrations.models.grant import OAuthAttempt, OAuthGrant
from erp_integrations.models.issue import SyncIssue
from erp_integrations.models.mirror import ErpAllocation, ErpPayment, WaitReason
from erp_integrations.models.notice import (
    EmailPreference,
    EmailState,
    Incident,
    IncidentKind,
    NoticeClock,
    NoticeKind,
    OutgoingEmail,
)
from erp_integrations.models.notification import InboundNotification, NotificationState
from erp_integrations.models.preview import PreviewKind, PreviewRow
from erp_integrations.models.push import PushedCall
from erp_integrations.models.reconciliation import (
    Reconciliation,
    ReconciliationLine,
    ReconciliationTotal,
)
from erp_integrations.models.run import RunMode, RunState, RunTrigger, SweepSighting, SyncRun

__all__ = [
    "ConnectionEvent",
    "DirectoryKind",
    "DirectoryRefresh",
    "DroppedFile",
    "DroppedPayment",
    "DroppedProblem",
    "EmailPreference",
    "EmailState",
    "ErpAllocation",
    "ErpConnection",
    "ErpPayment",
    "ExportState",
    "FileMapping",
    "FileSighting",
    "FileSource",
    "FileState",
    "InboundNotification",
    "Incident",
    "IncidentKind",
    "InvoiceExport",
    "NoticeClock",
    "NoticeKind",
    "NotificationState",
    "OAuthAttempt",
    "OAuthGrant",
    "OutgoingEmail",
    "PreviewKind",
    "PreviewRow",
    "ProblemKind",
    "PushedCall",
    "Reconciliation",
    "ReconciliationLine",
    "ReconciliationTotal",
    "RunMode",
    "RunState",
    "RunTrigger",
    "StagedRecord",
    "SweepSighting",
    "SyncIssue",
    "SyncRun",
    "SyncSchedule",
    "WaitReason",
    "WatchedPlace",
]
