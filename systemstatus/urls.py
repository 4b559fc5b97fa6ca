"""Addresses of System Status, below /admin/."""

from django.urls import path

from systemstatus import alert_views, audit_views, error_views, job_views, run_views, session_views, views

app_name = "status"

urlpatterns = [
    path("status", views.tab, name="overview"),
    path("status/widget", views.status_widget, name="widget"),
    path("status/<slug:slug>", views.tab, name="tab"),
    path("status/alerts/<int:alert_id>/acknowledge", alert_views.acknowledge, name="acknowledge"),
    path("status/alerts/silence", alert_views.silence, name="silence"),
    path("status/alerts/silences/<int:pk>/end", alert_views.end_silence, name="end_silence"),
    path("status/alerts/maintenance", alert_views.maintenance, name="maintenance"),
    path("status/alerts/maintenance/<int:pk>/end", alert_views.end_maintenance, name="end_maintenance"),
    path("status/jobs/<int:job_id>/<slug:action>", job_views.act, name="job_act"),
    path("status/jobs/queues/<slug:queue_class>/<slug:action>", job_views.switch, name="queue_switch"),
    path("status/jobs/schedule/run", job_views.run_entry, name="schedule_run"),
    path("status/api/errors/<str:fingerprint>/mute", error_views.mute, name="error_mute"),
    path("status/api/errors/<str:fingerprint>/<slug:action>", error_views.act, name="error_act"),
    path("status/<slug:slug>/checks/run", run_views.run_checks, name="run_checks"),
    path("status/database/sessions/<int:pid>", session_views.session, name="session"),
    path("status/audit/export.csv", audit_views.export, name="audit_export"),
    path("status/audit/check", audit_views.check, name="audit_check"),
]
