"""What a person decides when a commitment of the ERP is imported."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from commitments.models import CommitmentKind
from erp_integrations.directory.linking import find_vendor, staged_vendor
from erp_integrations.models import StagedRecord
from projects.models import Project, Vendor


class CommitmentImportForm(forms.Form):
    """Prefilled from the order; sum, currency and vendor are the ERP's and cannot be changed."""

    project = forms.ModelChoiceField(Project.objects.none(), empty_label="Choose a project")
    kind = forms.ChoiceField(label="Type", choices=CommitmentKind.choices)
    number = forms.CharField(max_length=50)
    title = forms.CharField(max_length=200)
    with_vendor = forms.BooleanField(required=False, initial=True)
    is_private = forms.BooleanField(
        label="Private",
        required=False,
        initial=True,
        help_text="Only administrators of the Commitments tool and people put on its list see it.",
    )

    def __init__(
        self, staged: StagedRecord, projects: "QuerySet[Project]", *args: Any, **kwargs: Any
    ) -> None:
        kwargs["initial"] = _initial(staged, projects)
        super().__init__(*args, **kwargs)
        self.staged = staged
        self.fields["project"].queryset = projects  # type: ignore[attr-defined]
        self.vendor = find_vendor(staged)
        self._say_what_becomes_of_the_vendor()

    def _say_what_becomes_of_the_vendor(self) -> None:
        theirs = staged_vendor(self.staged)
        if (self.vendor and self.vendor.origin_id) or theirs is None:
            del self.fields["with_vendor"]
        elif self.vendor:
            label = f"Link {self.vendor} to {theirs.code or theirs} in the ERP along with it"
            self.fields["with_vendor"].label = label
        else:
            self.fields["with_vendor"].label = f"Import the vendor {theirs} along with it"

    @property
    def vendor_name(self) -> str:
        """For people: whom the commitment will be with."""
        return self.vendor.name if isinstance(self.vendor, Vendor) else self.staged.vendor_name

    def values(self) -> dict[str, Any]:
        """What the import needs."""
        names = ("project", "kind", "number", "title", "is_private")
        chosen = {name: self.cleaned_data[name] for name in names}
        return {**chosen, "with_vendor": bool(self.cleaned_data.get("with_vendor"))}


def _initial(staged: StagedRecord, projects: "QuerySet[Project]") -> dict[str, Any]:
    told = projects.filter(origin_id=staged.project_ref).first() if staged.project_ref else None
    return {
        "project": told,
        "kind": _kind(staged),
        "number": staged.code[:50],
        "title": staged.title[:200],
    }


def _kind(staged: StagedRecord) -> CommitmentKind:
    """What the ERP says it is; where it does not tell, what its number looks like."""
    if staged.is_subcontract is None:
        is_order = staged.code.upper().startswith("PO")
        return CommitmentKind.PURCHASE_ORDER if is_order else CommitmentKind.SUBCONTRACT
    return CommitmentKind.SUBCONTRACT if staged.is_subcontract else CommitmentKind.PURCHASE_ORDER
