"""Links to the record's counterpart in another system.

Procore's own words (domain sheet §1.8): ``origin_id`` is the hidden key,
``origin_code`` what people see, ``origin_data`` free text.
"""

from django.db import models


class ErpStatus(models.TextChoices):
    """Where a record that can be sent to the ERP stands (domain sheet, Appendix A)."""

    NOT_SENT = "not_sent", "Not sent"
    SENT = "sent", "Sent, waiting for acceptance"
    RETRIEVED = "retrieved", "Retrieved"
    REJECTED = "rejected", "Rejected"
    EXPORTING = "exporting", "Exporting"
    FAILED = "failed", "Failed to export"
    SYNCED = "synced", "Synced"


class OriginMixin(models.Model):
    """A record that may live in another system too. Empty strings: it does not."""

    origin_id = models.CharField("origin ID", max_length=200, blank=True, editable=False)
    origin_code = models.CharField("ERP ID", max_length=200, blank=True)
    origin_data = models.CharField(max_length=500, blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def has_origin(self) -> bool:
        return bool(self.origin_id)
