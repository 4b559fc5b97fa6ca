"""Addresses of System Status, below /admin/."""

from django.urls import path

from systemstatus import views

app_name = "status"

urlpatterns = [
    path("status", views.tab, name="overview"),
    path("status/<slug:slug>", views.tab, name="tab"),
]
