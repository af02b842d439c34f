"""The sandbox remembers when the buyer decided, and takes return addresses that carry our ids."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0002_fair_sweep")]

    operations = [
        migrations.AddField(
            model_name="sandboxcharge",
            name="finished_at",
            field=models.DateTimeField(help_text="When the buyer decided.", null=True),
        ),
        migrations.AlterField(
            model_name="sandboxcharge",
            name="return_url",
            field=models.URLField(help_text="The longest that a storefront may send, and our ids.", max_length=2300),
        ),
    ]
