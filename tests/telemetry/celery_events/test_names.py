"""Names of tasks and modules as columns: the same every time, and two names stay two."""

import pytest

from telemetry.celery_events.names import domain_of, job_type_of


@pytest.mark.parametrize("name", ["costs.export", "a" * 40, "import nightly", "Überweisung.senden"])
def test_a_name_that_fits_stays_as_it_is(name: str) -> None:
    assert job_type_of(name) == name


def test_a_long_name_keeps_its_own_part_and_the_initials_of_its_packages() -> None:
    found = job_type_of("shop.invoicing.reports.tasks.send_monthly_invoices")
    assert found.startswith("s.i.r.t.send_monthly_invoices~")
    assert len(found) <= 40


def test_what_is_shortened_alike_is_told_apart_and_always_shortened_alike() -> None:
    names = [f"{package}.tasks.recalculate_every_customer_balance_{n}" for package in "ab" for n in range(50)]
    types = [job_type_of(f"shop.{name}") for name in names]
    assert len(set(types)) == len(names)
    assert types == [job_type_of(f"shop.{name}") for name in names]
    assert all(len(one) == 40 for one in types)


@pytest.mark.parametrize("name", ["", " ", "\n\x00", "\u202e" * 50, "x" * 10_000, "." * 50])
def test_odd_names_become_something_that_a_column_takes(name: str) -> None:
    found = job_type_of(name)
    assert 1 <= len(found) <= 40
    assert found.isprintable()
    assert found == found.strip()


@pytest.mark.parametrize(
    ("module", "domain"),
    [
        ("shop.billing.tasks", "billing"),
        ("billing", "billing"),
        ("shop.billing.tasks.monthly", "monthly"),
        ("__main__", "app"),
        ("", "app"),
        ("tasks", "app"),
    ],
)
def test_the_domain_is_the_package_of_the_tasks(module: str, domain: str) -> None:
    assert domain_of(module) == domain


def test_a_long_package_is_cut_to_the_column() -> None:
    assert len(domain_of("shop.recommendation_engine.tasks")) == 16
