"""Addresses of the host's own pages."""

from django.urls import path

from healthpilot.portals import views

app_name = "portals"

urlpatterns = [
    path("", views.home, name="home"),
    path("healthz/live", views.live, name="live"),
    path("theme", views.choose_theme, name="theme"),
]
