"""Companies, their projects, vendors and people."""

from projects.models.attachment import AttachedFile
from projects.models.company import Company, Vendor
from projects.models.grants import (
    CompanyGroupObjectPermission,
    CompanyUserObjectPermission,
    ProjectGroupObjectPermission,
    ProjectUserObjectPermission,
)
from projects.models.history import RecordEvent
from projects.models.origin import ErpStatus, OriginMixin
from projects.models.people import User
from projects.models.project import Project, ProjectTool

__all__ = [
    "AttachedFile",
    "Company",
    "CompanyGroupObjectPermission",
    "CompanyUserObjectPermission",
    "ErpStatus",
    "OriginMixin",
    "Project",
    "ProjectGroupObjectPermission",
    "ProjectTool",
    "ProjectUserObjectPermission",
    "RecordEvent",
    "User",
    "Vendor",
]
