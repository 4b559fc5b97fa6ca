"""Addresses of the import pages, below /admin/."""

from django.urls import path

from healthpilot.imports import views

app_name = "imports"

urlpatterns = [
    path("import", views.upload, name="upload"),
    path("import/<uuid:upload_id>", views.mapping, name="mapping"),
]
