import django

django.setup()

from telemetry.record import close, with_job_telemetry

who = {"user_id": "system", "tier": "system", "domain": "imports"}
with with_job_telemetry("import-prices", who):
    total = sum(n * n for n in range(100_000))

close(timeout_s=5)  # what is recorded is shipped before the script ends
