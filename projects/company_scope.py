"""The Django admin, cut to the companies that a member of staff administers.

Superusers see everything. Other staff hold *Admin* on a tool of a company (the
same grants as everywhere) and see, choose and change only that company's rows.
Django's own model permissions are not asked: two sets of rights would disagree
one day.
"""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from projects.access import Level, Tool
from projects.models import Company, User

if TYPE_CHECKING:
    from django.contrib.admin.options import BaseModelAdmin as _BaseModelAdmin

    Base = _BaseModelAdmin[Any]
    ModelAdmin = admin.ModelAdmin[Any]
    TabularInline = admin.TabularInline[Any, Any]
    ModelForm = forms.ModelForm[Any]
else:
    Base, ModelAdmin, TabularInline = object, admin.ModelAdmin, admin.TabularInline
    ModelForm = forms.ModelForm

#: what a row stands in; most pages show these without letting them be changed
PLACES = frozenset({"company", "project", "commitment"})


def administered_companies(request: HttpRequest, tool: Tool | None) -> models.QuerySet[Company]:
    """Companies where the person is Admin of ``tool`` (None: of any tool)."""
    user = request.user
    if isinstance(user, AnonymousUser) or not user.is_active or not user.is_staff:
        return Company.objects.none()
    if user.is_superuser:
        return Company.objects.all()
    condition = models.Q()
    for each in [tool] if tool else Tool:
        granted = Company.objects.with_level(user, each, Level.ADMIN)
        condition |= models.Q(pk__in=granted.values("pk"))
    return Company.objects.filter(condition)


def administered_ids(request: HttpRequest, tool: Tool | None) -> frozenset[int]:
    """The same as ids, asked once a request: the admin wants to know dozens of times."""
    remembered = request.__dict__.setdefault("administered_companies", {})
    if tool not in remembered:
        remembered[tool] = frozenset(
            administered_companies(request, tool).values_list("pk", flat=True)
        )
    ids: frozenset[int] = remembered[tool]
    return ids


def known_people(request: HttpRequest) -> models.QuerySet[User]:
    """People who already work in a company the person administers; all, for superusers.

    A list of everybody would show one tenant the people of another.
    """
    if request.user.is_superuser:
        return User.objects.all()
    ids = administered_ids(request, None)
    return User.objects.filter(
        models.Q(companyuserobjectpermission__content_object__in=ids)
        | models.Q(projectuserobjectpermission__content_object__company__in=ids)
    ).distinct()


class WholeRowForm(ModelForm):
    """Checks constraints such as *number once per project* where the project cannot be changed.

    Django leaves out every constraint that has a field which is not in the form.
    """

    def _get_validation_exclusions(self) -> set[str]:
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        stored = {name for name in PLACES & excluded if getattr(self.instance, f"{name}_id", None)}
        return excluded - stored


class CompanyScope(Base):
    """What a scoped admin and a scoped inline have in common."""

    #: from the model to its company
    company_path: ClassVar[str] = "company"
    #: the tool whose Admin level opens this page
    tool: ClassVar[Tool | None] = None

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows = super().get_queryset(request)
        if request.user.is_superuser:
            return rows
        return rows.filter(**{f"{self.company_path}__in": administered_ids(request, self.tool)})

    def administers(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Whether the person may work on this row (of an inline: on its parent)."""
        ids = administered_ids(request, self.tool)
        if obj is None or obj.pk is None:
            return bool(ids) or bool(request.user.is_superuser)
        return (obj.pk if isinstance(obj, Company) else getattr(obj, "company_id", None)) in ids

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.administers(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.administers(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.administers(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.administers(request, obj)

    def choices_of(
        self, request: HttpRequest, model: type[models.Model]
    ) -> models.QuerySet[Any] | None:
        """What the person may choose from in a field that points to ``model``."""
        if model is User:
            return known_people(request)
        try:
            related = self.admin_site.get_model_admin(model)
        except NotRegistered:
            return None
        rows = related.get_queryset(request)
        if isinstance(related, CompanyScope) and not request.user.is_superuser:
            ids = administered_ids(request, self.tool)
            rows = rows.filter(**{f"{related.company_path}__in": ids})
        return rows

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if "queryset" not in kwargs:
            rows = self.choices_of(request, db_field.remote_field.model)
            if rows is not None:
                kwargs["queryset"] = rows
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if "queryset" not in kwargs:
            rows = self.choices_of(request, db_field.remote_field.model)
            if rows is not None:
                kwargs["queryset"] = rows
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_autocomplete_fields(self, request: HttpRequest) -> Any:
        """Without fields of people for staff: looking people up is for superusers."""
        names = super().get_autocomplete_fields(request)
        if request.user.is_superuser:
            return names
        return [
            name for name in names if self.model._meta.get_field(name).related_model is not User
        ]


class CompanyScopedAdmin(CompanyScope, ModelAdmin):
    """Base of every admin page of a row that belongs to a company."""

    form = WholeRowForm
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.administers(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.administers(request)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with _Refusals(request) as refusals:
            return super().changeform_view(request, *args, **kwargs)
        return refusals.response

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with _Refusals(request) as refusals:
            return super().delete_view(request, *args, **kwargs)
        return refusals.response

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with _Refusals(request) as refusals:
            return super().changelist_view(request, *args, **kwargs)
        return refusals.response


class _Refusals:
    """A service that refuses is answered by its sentences, on the page one came from.

    Forms ask beforehand; this is for what changed between the question and the answer.
    """

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self.response = HttpResponseRedirect(request.get_full_path())

    def __enter__(self) -> "_Refusals":
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if not isinstance(error, ValidationError) or self._request.method != "POST":
            return False
        for sentence in error.messages:
            messages.error(self._request, sentence)
        return True


class CompanyScopedInline(CompanyScope, TabularInline):
    """Base of every inline; ``obj`` of its permissions is the parent row."""

    form = WholeRowForm
    extra = 0


class ReadOnlyScope(CompanyScope):
    """Rows that the application writes: to look at, not to touch; every field of them."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        hidden = set(self.exclude or ())
        return self.fields or [
            field.name for field in self.model._meta.fields if field.name not in {"id", *hidden}
        ]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
