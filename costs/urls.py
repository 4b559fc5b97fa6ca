"""Addresses of the cost pages, below /admin."""

from django.urls import path

from costs import addresses, alert_views, budget_controls, budget_views, job_views, subjects, views
from costs.prices import views as prices
from costs.simulation import views as simulations

app_name = "costs"
assert addresses  # importing it registers <recorded:name>

urlpatterns = [
    path("cost", views.dashboard, name="dashboard"),
    path("cost/export.csv", views.export_user_days, name="export"),
    path("cost/export", job_views.export, name="export_job"),
    path("cost/insight", job_views.explain, name="insight"),
    path("cost/budget/simulation/job", job_views.simulate, name="simulation_job"),
    path("cost/budgets", budget_views.budgets, name="budgets"),
    path("cost/budgets/controls", budget_controls.controls, name="budget_controls"),
    path("cost/budget", budget_views.budget, name="budget"),
    path("cost/budget/effect", budget_views.effect, name="budget_effect"),
    path("cost/budget/simulation", simulations.simulation, name="budget_simulation"),
    path("cost/budget/remove", budget_views.remove, name="budget_remove"),
    path("cost/budget/undo", budget_views.undo, name="budget_undo"),
    path("cost/alert-test", alert_views.alert_test, name="alert_test"),
    path("cost/users/<recorded:name>", views.look_into, {"kind": subjects.USER}, name="user"),
    path("cost/domains/<recorded:name>", views.look_into, {"kind": subjects.DOMAIN}, name="domain"),
    path("cost/models/<recorded:name>", views.look_into, {"kind": subjects.MODEL}, name="model"),
    path("cost/job-types/<recorded:name>", views.look_into, {"kind": subjects.JOB_TYPE}, name="job_type"),
    path("cost/prices", prices.prices, name="prices"),
    path("cost/prices/history", prices.history, name="price_history"),
    path("cost/prices/set", prices.set_model_price, name="price_set"),
    path("cost/prices/reprice", prices.reprice, name="reprice"),
]
