"""The sweep's queue: what is open already takes its place in it by age."""

from typing import Any

from django.db import migrations, models
from django.db.models import F, Q

OPEN = ["PENDING", "REQUIRES_ACTION", "PROCESSING"]


def enqueue(apps: Any, schema_editor: Any) -> None:
    apps.get_model("payments", "Payment").objects.filter(state__in=OPEN).update(next_ask_at=F("created_at"))
    apps.get_model("payments", "Refund").objects.filter(state="PENDING").update(next_ask_at=F("created_at"))


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]

    operations = [
        migrations.RemoveIndex(model_name="payment", name="payment_open"),
        migrations.AddField(
            model_name="payment",
            name="next_ask_at",
            field=models.DateTimeField(
                help_text="When the sweep asks the gateway, if the payment is open still; empty for never again.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="next_ask_at",
            field=models.DateTimeField(help_text="When the sweep tries again, if it is pending still.", null=True),
        ),
        migrations.RunPython(enqueue, migrations.RunPython.noop, elidable=True),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["next_ask_at", "id"], name="payment_to_ask", condition=Q(state__in=OPEN)),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(fields=["next_ask_at", "id"], name="refund_to_ask", condition=Q(state="PENDING")),
        ),
    ]
