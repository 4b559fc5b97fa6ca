"""What a new token needs: a name, scopes, and how long it counts."""

from datetime import UTC, datetime, timedelta

from django import forms

from healthpilot.tokens.models import ApiToken
from healthpilot.tokens.scopes import SCOPES

LIFETIMES = ((30, "30 days"), (90, "90 days"), (365, "a year"), (0, "until it is revoked"))


class TokenForm(forms.Form):
    """Name, application, scopes and lifetime of a new token."""

    name = forms.CharField(
        max_length=60, help_text="What will use it and where, such as “billing worker, production”."
    )
    client = forms.CharField(
        label="Application (optional)",
        max_length=60,
        required=False,
        help_text="Tokens of one application share the ids of the events they send: give it where this token "
        "replaces another. The name counts where it is empty.",
    )
    scopes = forms.MultipleChoiceField(
        choices=list(SCOPES.items()),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose what the token may do."},
    )
    lifetime = forms.TypedChoiceField(label="It counts for", choices=LIFETIMES, coerce=int, initial=90)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if ApiToken.objects.filter(name=name, revoked_at=None).exists():
            raise forms.ValidationError(
                "A token of this name is live. Revoke that one or choose another name."
            )
        return name

    def expires_at(self, now: datetime | None = None) -> datetime | None:
        """Return when the token shall end, None for never."""
        days: int = self.cleaned_data["lifetime"]
        return (now or datetime.now(UTC)) + timedelta(days=days) if days else None
