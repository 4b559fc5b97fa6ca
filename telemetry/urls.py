"""Addresses of telemetry's pages, below /admin."""

from django.urls import path

from telemetry import views

app_name = "telemetry"

urlpatterns = [path("instrument", views.instrument, name="instrument")]
