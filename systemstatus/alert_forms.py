"""What people type about alerts: filters of the tab, a note, a silence, a maintenance window."""

from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.http import QueryDict

from systemstatus import registry
from systemstatus.models import Notification, Severity

VIEWS: Final = (
    ("open", "Open"),
    ("pending", "About to fire"),
    ("timeline", "Timeline"),
    ("ended", "Ended"),
    ("messages", "Messages"),
)
CHANNELS: Final = (("webhook", "Webhook"), ("email", "E-mail"), ("apprise", "Apprise"))
# Which filters a view has.
FILTERS: Final = {
    "open": ("severity", "module"),
    "pending": ("severity", "module"),
    "timeline": ("severity", "module"),
    "ended": ("severity", "module"),
    "messages": ("state", "channel"),
}
AN_HOUR: Final = "60"
LASTS: Final = (
    ("", "At the time below"),
    (AN_HOUR, "1 hour from now"),
    ("240", "4 hours from now"),
    ("1440", "1 day from now"),
    ("10080", "7 days from now"),
)
MINUTE: Final = "%Y-%m-%d %H:%M"
FORMATS: Final = (MINUTE, "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S")


class AlertsForm(forms.Form):
    """The query string of the tab; a value that cannot be is named and left out."""

    view = forms.ChoiceField(required=False, choices=VIEWS, widget=forms.HiddenInput)
    severity = forms.ChoiceField(required=False, choices=[("", "Any severity"), *Severity.choices])
    module = forms.ChoiceField(required=False)
    state = forms.ChoiceField(required=False, choices=[("", "Any state"), *Notification.State.choices])
    channel = forms.ChoiceField(required=False, choices=[("", "Any channel"), *CHANNELS])
    alert = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)

    def __init__(self, query: QueryDict) -> None:
        super().__init__(query, auto_id="alerts-%s")
        modules = self.fields["module"]
        assert isinstance(modules, forms.ChoiceField)
        named = ((module.name, module.title) for module in registry.modules())
        modules.choices = [("", "Any module"), *named]
        for name, field in self.fields.items():
            message = f"{name.capitalize()} is not one of those in the list"
            field.error_messages |= {"invalid_choice": message, "invalid": message}

    def asked(self) -> tuple[dict[str, Any], list[str]]:
        """Return what could be understood, and a sentence for each part that could not."""
        self.is_valid()
        problems = [str(error) for errors in self.errors.values() for error in errors]
        found = {name: value for name, value in self.cleaned_data.items() if value}
        return {"view": "open"} | found, problems

    def shown(self, view: str) -> list[forms.BoundField]:
        """Return the filters that a view has."""
        return [self[name] for name in FILTERS[view]]


class NoteForm(forms.Form):
    """An acknowledgement."""

    note = forms.CharField(
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What you know, or what you will do. Everybody who looks at the alert reads it.",
    )


class MinuteField(forms.DateTimeField):
    """A minute in UTC, typed as the bar above the tabs writes it: a browser's own control is local time."""

    def __init__(self, **options: Any) -> None:
        attributes = {"placeholder": "2026-11-30 14:02", "autocomplete": "off", "spellcheck": "false"}
        widget = forms.DateTimeInput(attrs=attributes, format=MINUTE)
        super().__init__(widget=widget, input_formats=FORMATS, required=False, **options)
        self.error_messages["invalid"] = "Write a minute in UTC, as 2026-11-30 14:02."


class QuietForm(forms.Form):
    """What is kept quiet, by three patterns in which '*' stands for any characters, and why."""

    rule = forms.CharField(required=False, help_text="As db.longest_query, db.* or * for any.")
    module = forms.CharField(required=False, help_text="As postgres, or * for any.")
    target = forms.CharField(required=False, help_text="A queue, a route, a scope; * for any.")
    reason = forms.CharField(required=False, max_length=500, help_text="Others will ask.")

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        for field in self.fields.values():
            if isinstance(field.widget, forms.TextInput):
                field.widget.attrs |= {"autocomplete": "off"}
        for name in ("rule", "module", "target"):
            self.fields[name].widget.attrs |= {"autocapitalize": "none", "spellcheck": "false"}

    def matcher(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("rule", "module", "target", "reason")}


class SilenceForm(QuietForm):
    """A silence: until a time that is chosen from a list, or typed."""

    lasts = forms.ChoiceField(required=False, label="Ends", choices=LASTS)
    ends_at = MinuteField(label="Or at (UTC)", help_text="As 2026-11-30 14:02, seven days from now at most.")

    def end(self, now: datetime) -> datetime | None:
        """Return when it ends; None where nobody said so."""
        typed: datetime | None = self.cleaned_data["ends_at"]
        minutes = self.cleaned_data["lasts"]
        return typed or (now + timedelta(minutes=int(minutes)) if minutes else None)


class MaintenanceForm(QuietForm):
    """A window of work."""

    starts_at = MinuteField(label="Starts (UTC)", help_text="As 2026-11-30 14:02; empty for now.")
    ends_at = MinuteField(label="Ends (UTC)", help_text="30 days after its start at most.")
