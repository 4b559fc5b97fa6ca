"""How each closed day's cost fell on its hours, for the estimate of a day that is not over."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("costs", "0005_answers_held")]

    operations = [migrations.AddField("costday", "hours_json", models.JSONField(null=True))]
