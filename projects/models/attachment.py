"""A file that people attach to a record; ``projects.attachments`` keeps it and gives it back."""

from django.conf import settings
from django.db import models

from projects.models.company import Company


class AttachedFile(models.Model):
    """One file of some record. ``sha256`` is the hex digest of the content."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    file: models.FileField
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    uploaded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
        ordering = ["uploaded_at", "pk"]

    def __str__(self) -> str:
        return self.name
