"""Forms of the commitment's pages."""

from django import forms

from commitments.models import Commitment


class AdvancedSettingsForm(forms.Form):
    allow_payments = forms.BooleanField(
        label="Enable Payments",
        required=False,
        help_text="Shows the Payments Issued tab and lets synced payments arrive on it. Payments "
        "that came before stay stored while it is off, and new ones wait.",
    )

    @classmethod
    def of(cls, commitment: Commitment) -> "AdvancedSettingsForm":
        return cls(initial={"allow_payments": commitment.allow_payments})
