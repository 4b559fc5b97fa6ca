"""The query string of the tab Audit and of its file."""

from typing import Any

from django import forms
from django.http import QueryDict

from systemstatus.entries import FAMILIES, Wanted


class AuditForm(forms.Form):
    """The filters; a value that cannot be is named and left out."""

    family = forms.ChoiceField(
        required=False,
        label="Kind",
        choices=[("", "Any kind"), *((name, label) for name, (label, _) in FAMILIES.items())],
    )
    who = forms.CharField(required=False, max_length=80, label="Who")
    what = forms.CharField(required=False, max_length=120, label="What")
    first = forms.DateField(required=False, label="From day")
    last = forms.DateField(required=False, label="To day")
    entry = forms.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput, label="Entry"
    )
    view = forms.ChoiceField(required=False, choices=[("chain", "Chain")], widget=forms.HiddenInput)

    def __init__(self, query: QueryDict) -> None:
        super().__init__(query, auto_id="audit-%s")
        hints = {"who": "Anybody", "what": "Anything", "first": "From, 2026-11-01", "last": "To, 2026-11-30"}
        for name, hint in hints.items():
            self.fields[name].widget.attrs |= {"placeholder": hint, "autocomplete": "off"}
        for name, field in self.fields.items():
            label = field.label or name.capitalize()
            field.error_messages |= {
                "invalid_choice": f"{label} is not one of those in the list",
                "invalid": f"{label} is not understood: days are written as 2026-11-30",
            }

    def asked(self) -> tuple[dict[str, Any], list[str]]:
        """Return what could be understood, and a sentence for each part that could not."""
        self.is_valid()
        problems = [str(error) for errors in self.errors.values() for error in errors]
        return {name: value for name, value in self.cleaned_data.items() if value}, problems

    def shown(self) -> list[forms.BoundField]:
        return [self[name] for name in ("family", "who", "what", "first", "last")]


def wanted_of(asked: dict[str, Any]) -> Wanted:
    """Return which entries a query asks for."""
    return Wanted(
        family=asked.get("family", ""),
        who=asked.get("who", ""),
        what=asked.get("what", ""),
        first_on=asked.get("first"),
        last_on=asked.get("last"),
    )
