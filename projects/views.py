"""The portfolio and the home page of a project."""

from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from projects.models import Project
from projects.navigation import tool_links, visible_companies, visible_projects
from projects.portfolio import by_company


@require_safe
@login_required
def portfolio(request: HttpRequest) -> HttpResponse:
    """Every project the person may see, by company."""
    search = request.GET.get("q", "").strip()[:100]
    projects = visible_projects(request.user)
    found = _matching(projects, search)
    context = {
        "companies": by_company(found, visible_companies(request.user), is_search=bool(search)),
        "search": search,
    }
    return render(request, "projects/portfolio.html", context)


def _matching(projects: "QuerySet[Project]", search: str) -> "QuerySet[Project]":
    for word in search.split():
        projects = projects.filter(
            Q(number__icontains=word)
            | Q(name__icontains=word)
            | Q(address__icontains=word)
            | Q(company__name__icontains=word)
        )
    return projects


@require_safe
@login_required
def project(request: HttpRequest, project_id: int) -> HttpResponse:
    """What there is on one project for this person."""
    found = get_object_or_404(visible_projects(request.user), pk=project_id)
    context = {
        "project": found,
        "tools": tool_links(found),
        "time_zone": found.time_zone or found.company.time_zone,
    }
    return render(request, "projects/project.html", context)
