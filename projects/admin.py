"""Companies, projects, vendors and people in the Django admin."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.models import Group
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from projects.access import Tool
from projects.company_scope import CompanyScope, CompanyScopedAdmin, CompanyScopedInline, ModelAdmin
from projects.grant_forms import GrantFormSet, LevelField, grantable, save_grants
from projects.models import (
    Company,
    CompanyGroupObjectPermission,
    CompanyUserObjectPermission,
    Project,
    ProjectGroupObjectPermission,
    ProjectTool,
    ProjectUserObjectPermission,
    User,
    Vendor,
)
from projects.services import set_tool

if TYPE_CHECKING:
    BaseInlineFormSet = forms.BaseInlineFormSet[Any, Any, Any]
    DjangoUserAdmin = auth_admin.UserAdmin[User]
else:
    BaseInlineFormSet, DjangoUserAdmin = forms.BaseInlineFormSet, auth_admin.UserAdmin

admin.site.site_header = "Procore Sync administration"
admin.site.site_title = "Procore Sync administration"
admin.site.index_title = "What would you like to change?"


class GrantInline(CompanyScopedInline):
    """Levels of people or groups on the parent row."""

    formset = GrantFormSet
    on: ClassVar[type[Company] | type[Project]]
    verbose_name = "access level"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("permission")
        return rows.filter(permission__in=grantable(request, self.on))

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        return type("GrantFormSet", (formset,), {"request": request})

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "permission":
            return LevelField(grantable(request, self.on), label="level")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class PeopleOfCompanyInline(GrantInline):
    model = CompanyUserObjectPermission
    on = Company
    company_path = "content_object"
    fields = ("user", "permission")
    autocomplete_fields = ("user",)
    verbose_name_plural = "People: levels on every project, and accounting approvers"


class PeopleOfProjectInline(GrantInline):
    model = ProjectUserObjectPermission
    on = Project
    company_path = "content_object__company"
    fields = ("user", "permission")
    autocomplete_fields = ("user",)
    verbose_name_plural = "People: levels on this project"


class GroupInline(GrantInline):
    """Groups reach across companies, so only superusers hand levels to them."""

    fields = ("group", "permission")
    autocomplete_fields = ("group",)
    classes = ("collapse",)

    def administers(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)


class GroupsOfCompanyInline(GroupInline):
    model = CompanyGroupObjectPermission
    on = Company
    company_path = "content_object"
    verbose_name_plural = "Groups: levels on every project"


class GroupsOfProjectInline(GroupInline):
    model = ProjectGroupObjectPermission
    on = Project
    company_path = "content_object__company"
    verbose_name_plural = "Groups: levels on this project"


class ToolFormSet(BaseInlineFormSet):
    """One row per tool, also for tools that were never switched on."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        project: Any = kwargs.get("instance")
        listed = set(project.tools.values_list("tool", flat=True)) if _stored(project) else set()
        kwargs["initial"] = [
            {"tool": tool, "is_active": False} for tool in Tool if tool not in listed
        ]
        super().__init__(*args, **kwargs)


def _stored(instance: Any) -> bool:
    return instance is not None and instance.pk is not None


class ToolInline(CompanyScopedInline):
    model = ProjectTool
    formset = ToolFormSet
    fields = ("tool", "is_active")
    can_delete = False
    max_num = len(Tool)
    verbose_name_plural = "Tools that are active on this project"

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return len(Tool) - (obj.tools.count() if _stored(obj) else 0)


class ScopedRelations(CompanyScopedAdmin):
    """Saves inlines through the services that own their rows."""

    def save_formset(self, request: Any, form: Any, formset: Any, change: bool) -> None:
        if formset.model in (CompanyUserObjectPermission, ProjectUserObjectPermission):
            save_grants(formset)
        elif formset.model is ProjectTool:
            _save_tools(formset)
        else:
            super().save_formset(request, form, formset, change)


def _save_tools(formset: Any) -> None:
    for form in formset.forms:
        if form.has_changed():
            data = form.cleaned_data
            set_tool(project=formset.instance, tool=Tool(data["tool"]), is_active=data["is_active"])
    formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []


@admin.register(Company)
class CompanyAdmin(ScopedRelations):
    company_path = "pk"
    ordering = ("name",)
    list_display = ("name", "currency", "time_zone", "project_count", "approver_count")
    search_fields = ("name",)
    inlines = (PeopleOfCompanyInline, GroupsOfCompanyInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        approver = Q(companyuserobjectpermission__permission__codename="accounting_approver")
        rows: QuerySet[Any] = super().get_queryset(request)
        people = "companyuserobjectpermission__user"
        annotated: QuerySet[Any] = rows.annotate(
            projects_=Count("projects", distinct=True),
            approvers_=Count(people, filter=approver, distinct=True),
        )
        return annotated

    @admin.display(description="projects", ordering="projects_")
    def project_count(self, company: Any) -> int:
        return int(company.projects_)

    @admin.display(description="accounting approvers", ordering="approvers_")
    def approver_count(self, company: Any) -> int:
        return int(company.approvers_)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)


@admin.register(Project)
class ProjectAdmin(ScopedRelations):
    list_display = ("number", "name", "company", "active_tools", "is_active")
    list_display_links = ("number", "name")
    list_filter = ("is_active", ("company", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("company",)
    search_fields = ("number", "name", "address")
    autocomplete_fields = ("company",)
    date_hierarchy = "created_at"
    fields = ("company", "number", "name", "address", "time_zone", "is_active")
    inlines = (ToolInline, PeopleOfProjectInline, GroupsOfProjectInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("tools")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A project stays in its company: everything below it belongs to that company too."""
        return ("company",) if obj else ()

    @admin.display(description="tools")
    def active_tools(self, project: Project) -> str:
        names = [each.get_tool_display() for each in project.tools.all() if each.is_active]
        return ", ".join(str(name) for name in names) or "none"


@admin.register(Vendor)
class VendorAdmin(CompanyScopedAdmin):
    list_display = ("name", "code", "company", "origin_code")
    list_filter = (("company", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("company",)
    search_fields = ("name", "code", "origin_code")
    autocomplete_fields = ("company",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Links to the ERP are made in its tool, where they are checked and written down."""
        origin = ("origin_id", "origin_code")
        return ("company", *origin) if obj else origin


class SuperusersOnly(CompanyScope):
    """Accounts reach across companies."""

    def administers(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super(CompanyScope, self).get_queryset(request)
        return rows if self.administers(request) else rows.none()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.administers(request)


@admin.register(User)
class UserAdmin(SuperusersOnly, DjangoUserAdmin):
    list_display = ("username", "first_name", "last_name", "email", "is_active", "is_staff")
    list_filter = ("is_active", "is_staff", "is_superuser")
    date_hierarchy = "date_joined"
    # Levels are granted on companies and projects; model permissions mean nothing here.
    filter_horizontal = ("groups",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        (
            "Sign-in",
            {
                "fields": ("is_active", "is_staff", "is_superuser", "groups"),
                "description": "Levels in tools are given on the company’s or project’s own page. "
                "Staff who are Admin of a tool may change that company’s rows here.",
            },
        ),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(SuperusersOnly, ModelAdmin):
    fields = ("name",)
    search_fields = ("name",)
    ordering = ("name",)
