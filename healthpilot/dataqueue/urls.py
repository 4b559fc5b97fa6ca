"""Addresses of the job pages, below /admin/."""

from django.urls import path

from healthpilot.dataqueue import views

app_name = "dataqueue"

urlpatterns = [
    path("jobs", views.jobs, name="jobs"),
    path("jobs/<int:job_id>", views.job, name="job"),
    path("jobs/<int:job_id>/<slug:action>", views.act, name="act"),
    path("jobs/<int:job_id>/files/<str:name>", views.download, name="download"),
    path("jobs/queues/<slug:queue_class>/<slug:action>", views.switch, name="switch"),
]
