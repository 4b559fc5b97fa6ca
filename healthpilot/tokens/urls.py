"""Addresses of the token pages, below /admin."""

from django.urls import path

from healthpilot.tokens import views

app_name = "tokens"

urlpatterns = [
    path("tokens", views.tokens, name="list"),
    path("tokens/<slug:prefix>/revoke", views.revoke, name="revoke"),
]
