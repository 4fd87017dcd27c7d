"""Addresses of one's own e-mail; they belong to no company and no project."""

from django.urls import path

from erp_integrations.notices import views

urlpatterns = [
    path("account/email/", views.email_preferences, name="email_preferences"),
    path("email/unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
]
