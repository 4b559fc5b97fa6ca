"""An exact bigint sum, room for updates in place, and the newest day of a user in a preset range."""

from django.db import migrations, models

# sum(bigint) returns numeric and keeps a heavy state; this one stays bigint, raises on overflow instead of wrapping,
# and runs in parallel. The usage tables are updated in place all day, so their pages keep room for new versions
# (HOT), and the day's cost rows likewise.
FORWARD = """
CREATE AGGREGATE cost_sum (bigint) (
    SFUNC = int8pl, STYPE = bigint, COMBINEFUNC = int8pl, INITCOND = '0', PARALLEL = SAFE
);
ALTER TABLE usage_hourly SET (fillfactor = 80);
ALTER TABLE usage_daily SET (fillfactor = 70);
ALTER TABLE cost_user_daily SET (fillfactor = 70);
ALTER TABLE cost_user_window SET (fillfactor = 70);
"""
REVERSE = """
ALTER TABLE cost_user_window RESET (fillfactor);
ALTER TABLE cost_user_daily RESET (fillfactor);
ALTER TABLE usage_daily RESET (fillfactor);
ALTER TABLE usage_hourly RESET (fillfactor);
DROP AGGREGATE cost_sum (bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("costs", "0001_initial"), ("telemetry", "0001_initial")]

    operations = [
        migrations.RunSQL(FORWARD, REVERSE),
        migrations.AddField("costuserwindow", "last_on", models.DateField()),
    ]
