"""The form of the Settings page, and the form of the connection as that page shows it."""

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django import forms

from erp_integrations.connection_form import ConnectionForm, form_for
from erp_integrations.connection_history import LABELS
from erp_integrations.connections import Settings
from erp_integrations.models import ErpConnection
from erp_integrations.providers.registry import find_provider

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[ErpConnection]
else:
    ModelForm = forms.ModelForm


class SettingsForm(ModelForm):
    """Everything but the address and credentials; ``change_settings`` takes what it holds."""

    class Meta:
        model = ErpConnection
        fields = (
            "sync_schedule",
            "payment_email_delay_hours",
            "raw_retention_days",
            "is_active",
            "export_subcontractor_invoices",
            "direct_export",
            "override_invoice_number",
            "sends_email",
        )
        labels: ClassVar[dict[str, str]] = {**LABELS, "is_active": "Connected"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        provider = find_provider(self.instance.provider)
        if provider is None or not provider.capabilities.export_bills:
            del self.fields["direct_export"], self.fields["override_invoice_number"]

    def changes(self) -> Settings:
        return cast(Settings, self.cleaned_data)


def connection_form(connection: ErpConnection, data: Any = None) -> ConnectionForm:
    """Name, currency, address and credentials of a stored connection, or of a new one."""
    made = form_for(connection.provider)
    fields = ("name", "currency")
    page = forms.modelform_factory(ErpConnection, form=made, fields=fields)
    return cast(ConnectionForm, page(data, instance=connection))
