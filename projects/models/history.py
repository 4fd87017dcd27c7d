"""Who changed what on a vendor or a project."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from projects.models.company import Company, Vendor
from projects.models.project import Project


class RecordEvent(models.Model):
    """One change of a vendor or a project, never edited: ``changes`` is ``{label: [old, new]}``."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    vendor = models.ForeignKey(Vendor, on_delete=models.CASCADE, null=True, related_name="events")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, null=True, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    summary = models.CharField(max_length=300)
    changes = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(vendor=None, project__isnull=False)
                | Q(vendor__isnull=False, project=None),
                name="record_event_is_about_one_record",
            )
        ]

    def __str__(self) -> str:
        return self.summary
