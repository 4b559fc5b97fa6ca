"""The settings: derived addresses, session limits, the content policy, refusals with a hint."""

import os
import stat
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client

from healthpilot import configuration
from healthpilot.celery import HARD_LIMIT_S, app


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py in a process of its own, which reads the settings anew."""
    command = [sys.executable, str(configuration.ROOT / "manage.py"), *arguments]
    inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    return subprocess.run(command, env=inherited | environment, capture_output=True, text=True, check=False)


@pytest.mark.django_db
def test_every_connection_opens_with_its_limits_and_in_utc() -> None:
    names = ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "TimeZone"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(unnest(%s::text[]))", [names])
        assert [row[0] for row in cursor.fetchall()] == ["5s", "5min", "1min", "UTC"]


def test_a_web_process_waits_ten_seconds_at_most() -> None:
    code = "from django.conf import settings; print(settings.DATABASES['default']['OPTIONS'])"
    done = manage("shell", "-v0", "-c", code, HEALTHPILOT_ROLE="web")
    assert "statement_timeout=8s" in done.stdout
    assert "'patience_s': 10" in done.stdout


def test_ways_to_notice_a_dead_database_are_set_and_the_address_overrules_them() -> None:
    url = "postgresql://me@db/x?connect_timeout=9"
    found = configuration.database(url, {}, patience_s=None)["OPTIONS"]
    assert found["tcp_user_timeout"] == 15_000
    assert found["connect_timeout"] == 9
    assert "patience_s" not in found


@pytest.mark.parametrize("bad", ["slow=1/2", "heavy=60", "heavy=9/8", "heavy=a/b", "heavy"])
def test_limits_are_a_warning_and_a_critical_one_of_something_known(
    bad: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIMITS", "heavy=600/1800, free=1/1")
    read = configuration.Reader()
    assert read.limits("LIMITS", ["free", "heavy"]) == {"heavy": (600, 1800), "free": (1, 1)}
    monkeypatch.setenv("LIMITS", bad)
    with pytest.raises(ImproperlyConfigured, match="LIMITS"):
        read.limits("LIMITS", ["free", "heavy"])


@pytest.mark.parametrize(
    ("variable", "value", "hint"),
    [
        ("COST_CPU_MS", "1,5", "price in USD"),
        ("COST_LLM_INPUT_TOKEN", "-1", "price in USD"),
        ("COST_LLM_OUTPUT_TOKEN", "NaN", "price in USD"),
        ("COST_REFRESH_S", "often", "whole number"),
        ("TELEMETRY_RETENTION_DAYS", "0", "at least 1"),
        ("HEALTHPILOT_ROLE", "king", "one of command, web, worker, beat"),
        ("DEBUG", "maybe", "1 or 0"),
        ("DATABASE_URL", "mysql://me:secret@db/x", "postgresql://"),
        ("REDIS_URL", "http://cache", "redis://"),
    ],
)
def test_a_bad_value_is_refused_naming_the_variable_and_a_mend(variable: str, value: str, hint: str) -> None:
    done = manage("check", **{variable: value})
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert variable in done.stderr
    assert hint in done.stderr
    assert "secret" not in done.stderr


def test_prices_never_pass_through_a_float(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COST_CPU_MS", "0.10000000000000000000000000000000001")
    price = configuration.Reader().money("COST_CPU_MS", "1")
    assert price == Decimal("0.10000000000000000000000000000000001")


@pytest.mark.parametrize(
    ("url", "cache", "broker"),
    [
        ("redis://cache:6379/0", "redis://cache:6379/0", "redis://cache:6379/0"),
        ("unix:///run/v.sock", "unix:///run/v.sock", "redis+socket:///run/v.sock"),
        ("redis+socket:///run/v.sock", "unix:///run/v.sock", "redis+socket:///run/v.sock"),
        ("rediss://cache:6380", "rediss://cache:6380", "rediss://cache:6380?ssl_cert_reqs=required"),
    ],
)
def test_one_redis_address_serves_django_and_celery(url: str, cache: str, broker: str) -> None:
    assert configuration.redis_address(url) == cache
    assert configuration.broker_address(url) == broker


def test_an_address_is_shown_without_its_password() -> None:
    shown = configuration.without_password("postgresql://me:s3cr%40t@db:5432/x")
    assert shown == "postgresql://me:***@db:5432/x"
    assert "s3cr" not in configuration.without_password("redis://:s3cr@[::1")


def test_the_secret_key_is_made_once_and_readable_by_nobody_else(tmp_path: Path) -> None:
    first = configuration.secret_key(tmp_path / "var")
    assert configuration.secret_key(tmp_path / "var") == first
    assert len(first) >= 50
    assert stat.S_IMODE((tmp_path / "var" / "secret_key").stat().st_mode) == 0o600


def test_deployment_checks_are_clean_for_https_and_for_loopback() -> None:
    for environment in ({"HEALTHPILOT_HTTPS": "1"}, {"ALLOWED_HOSTS": "costs.example.com"}, {}):
        done = manage("check", "--deploy", "--fail-level", "WARNING", **environment)
        assert done.returncode == 0, done.stderr


def test_another_host_name_turns_secure_cookies_on() -> None:
    code = "from django.conf import settings as s; print(s.SESSION_COOKIE_SECURE, s.SECURE_SSL_REDIRECT)"
    assert manage("shell", "-v0", "-c", code, ALLOWED_HOSTS="costs.example.com").stdout.strip() == "True True"
    assert manage("shell", "-v0", "-c", code).stdout.strip() == "False False"


@pytest.mark.django_db
def test_the_content_policy_allows_only_this_site(client: Client) -> None:
    policy = client.get(settings.LOGIN_URL).headers["Content-Security-Policy"]
    assert set(policy.split("; ")) == {
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "manifest-src 'self'",
    }


@pytest.mark.django_db
def test_nobody_can_sign_up(client: Client) -> None:
    answer = client.post(
        "/accounts/signup/", {"username": "mallory", "password1": "pq9-Xmm2!", "password2": "pq9-Xmm2!"}
    )
    assert answer.status_code in {200, 403, 404}
    from django.contrib.auth.models import User

    assert not User.objects.exists()


def test_an_unanswered_task_is_handed_out_again_only_after_its_hard_limit() -> None:
    assert app.conf.task_time_limit == HARD_LIMIT_S
    assert app.conf.broker_transport_options["visibility_timeout"] > HARD_LIMIT_S


def test_every_beat_entry_names_a_task_that_exists_and_expires_before_it_piles_up() -> None:
    app.loader.import_default_modules()
    for entry in app.conf.beat_schedule.values():
        assert entry["task"] in app.tasks
        assert entry["options"]["expires"] <= entry["schedule"]
