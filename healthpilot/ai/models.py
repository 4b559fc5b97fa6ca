"""The last answer of each user and context, for questions that did not change since."""

from django.db import models
from django.db.models.functions import Now


class AiAnswer(models.Model):
    """What a model answered last for a user and a context, and to which question."""

    pk = models.CompositePrimaryKey("user_id", "context_type")
    user_id = models.CharField(max_length=40, db_collation="C")
    context_type = models.CharField(max_length=32, db_collation="C")
    question_sha256 = models.BinaryField(max_length=32)
    llm_model = models.CharField(max_length=80)
    input_tokens = models.IntegerField()
    output_tokens = models.IntegerField()
    answer = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "ai_answers"
        indexes = [
            # Retention deletes the oldest first.
            models.Index(fields=["updated_at"], name="ai_answers_age"),
        ]

    def __str__(self) -> str:
        return f"{self.context_type} for {self.user_id}"
