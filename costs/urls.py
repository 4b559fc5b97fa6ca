"""Addresses of the cost pages, below /admin/cost."""

from django.urls import path

from costs import views

app_name = "costs"

urlpatterns = [path("", views.dashboard, name="dashboard")]
