"""How long the rows of a preview are kept."""

from datetime import timedelta

from django.utils import timezone

from erp_integrations.models import PreviewRow

#: after this the books are others anyway
KEPT = timedelta(days=7)


def purge_old() -> int:
    """Delete the rows of previews that are over for long; how many there were."""
    old = PreviewRow.objects.filter(run__finished_at__lt=timezone.now() - KEPT)
    deleted, _ = old.delete()
    return deleted
