"""Access levels as rows of a form: one person (or group), one level of one tool."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from projects.access import ACCOUNTING_APPROVER, Level, Tool, codename
from projects.company_scope import administered_ids
from projects.models import Company, Project
from projects.services import grant_level, set_accounting_approver

if TYPE_CHECKING:
    BaseInlineFormSet = forms.BaseInlineFormSet[Any, Any, Any]
    ModelChoiceField = forms.ModelChoiceField[Permission]
else:
    BaseInlineFormSet, ModelChoiceField = forms.BaseInlineFormSet, forms.ModelChoiceField

#: ``commitments_admin`` → what it grants
LEVELS = {
    codename(tool, level): (tool, level)
    for tool in Tool
    for level in Level
    if level is not Level.NONE
}


def grantable(request: HttpRequest, model: type[Company] | type[Project]) -> QuerySet[Permission]:
    """The permissions that the person may give away: levels of tools they administer themselves.

    An accounting approver is named by one who is an approver and administers the ERP tool
    (domain sheet, C5); the first one by a superuser.
    """
    codes = [code for code, (tool, _) in LEVELS.items() if administered_ids(request, tool)]
    if model is Company and may_name_approvers(request):
        codes.append(ACCOUNTING_APPROVER)
    rows = Permission.objects.filter(
        content_type__app_label="projects",
        content_type__model=model._meta.model_name,
        codename__in=codes,
    )
    return rows.order_by("name")


def may_name_approvers(request: HttpRequest) -> bool:
    own = Company.objects.with_approver(request.user)
    return own.filter(pk__in=administered_ids(request, Tool.ERP_INTEGRATIONS)).exists()


class LevelField(ModelChoiceField):
    """Shows ``Commitments: Admin`` instead of the permission's technical name."""

    def label_from_instance(self, obj: Permission) -> str:
        return obj.name


class GrantFormSet(BaseInlineFormSet):
    """At most one level per tool and person, and nothing the giver does not hold."""

    request: HttpRequest

    def clean(self) -> None:
        super().clean()
        seen = set()
        for form in self.forms:
            if not form.cleaned_data or form.cleaned_data.get("DELETE"):
                continue
            permission = form.cleaned_data.get("permission")
            holder = form.cleaned_data.get("user") or form.cleaned_data.get("group")
            if permission is None or holder is None:
                continue
            self._refuse_unheld(permission)
            key = (holder.pk, what(permission))
            if key in seen:
                raise ValidationError(
                    f"{holder} has two levels for {what(permission)}. Keep one of them."
                )
            seen.add(key)

    def _refuse_unheld(self, permission: Permission) -> None:
        """The field offers what the person may give in some company; this asks about this one."""
        if self.request.user.is_superuser:
            return
        on_company = isinstance(self.instance, Company)
        company_id = self.instance.pk if on_company else self.instance.company_id
        tool = LEVELS.get(permission.codename, (Tool.ERP_INTEGRATIONS, None))[0]
        held = company_id in administered_ids(self.request, tool)
        if permission.codename == ACCOUNTING_APPROVER:
            approvers = Company.objects.with_approver(self.request.user)
            held = held and approvers.filter(pk=company_id).exists()
        if not held:
            raise ValidationError(f"You cannot grant “{permission.name}”: you do not hold it here.")


def what(permission: Permission) -> str:
    """The tool that the permission is a level of."""
    if permission.codename in LEVELS:
        return str(LEVELS[permission.codename][0].label)
    return permission.name


def save_grants(formset: Any) -> None:
    """Write the changed rows of a formset of people's levels, through the services."""
    for form in formset.initial_forms:
        if form in formset.deleted_forms or form.has_changed():
            old = formset.model.objects.select_related("user", "permission").get(
                pk=form.instance.pk
            )
            _set(old.user, old.permission, formset.instance, granted=False)
    for form in formset.forms:
        if form in formset.deleted_forms or not form.has_changed():
            continue
        data = form.cleaned_data
        _set(data["user"], data["permission"], formset.instance, granted=True)
    formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []


def _set(user: Any, permission: Permission, on: Company | Project, *, granted: bool) -> None:
    if permission.codename == ACCOUNTING_APPROVER:
        assert isinstance(on, Company)  # noqa: S101  the form offers it nowhere else
        set_accounting_approver(user=user, company=on, is_approver=granted)
        return
    tool, level = LEVELS[permission.codename]
    grant_level(user=user, tool=tool, level=level if granted else Level.NONE, on=on)
