from django.urls import path

from projects import views

app_name = "projects"

urlpatterns = [
    path("", views.portfolio, name="portfolio"),
    path("projects/<int:project_id>/", views.project, name="project"),
]
