"""Encrypt every stored ERP credential anew with the first of ``CREDENTIAL_KEYS``."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from erp_integrations.connections import rotate_credentials
from erp_integrations.models import ErpConnection
from erp_integrations.providers.errors import ConfigurationError


class Command(BaseCommand):
    help = (
        "Encrypts the credentials of all ERP connections with the newest key. Put the new key "
        "first in CREDENTIAL_KEYS, restart, run this, then take the old key away."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        unreadable = []
        for connection in ErpConnection.objects.select_related("company").order_by("pk"):
            try:
                rotate_credentials(connection=connection, by=None)
            except ConfigurationError:
                unreadable.append(str(connection))
            else:
                self.stdout.write(f"{connection}: encrypted with the newest key.")
        if unreadable:
            raise CommandError(
                "No key in CREDENTIAL_KEYS opens the credentials of: "
                f"{', '.join(unreadable)}. Keep the old key, or enter them again on the "
                "Settings tab."
            )
