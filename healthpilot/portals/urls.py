"""Addresses of the host's own pages."""

from django.urls import path

from healthpilot.portals import health, views, vitals
from healthpilot.portals.gallery import views as gallery

app_name = "portals"

urlpatterns = [
    path("", views.home, name="home"),
    path("healthz/live", views.live, name="live"),
    path("healthz/ready", health.ready, name="ready"),
    path("healthz/collector", health.collector, name="collector"),
    path("vitals", vitals.heard, name="vitals"),
    path("admin/api", views.describe_api, name="api"),
    path("theme", views.choose_theme, name="theme"),
    path("admin/design", gallery.design, name="design"),
    path("admin/design/options", gallery.options, name="design_options"),
]
