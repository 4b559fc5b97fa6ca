"""The query string of the job list: what it may say."""

from django import forms
from django.http import QueryDict

from healthpilot.dataqueue.kinds import registered
from healthpilot.dataqueue.models import QueueClass, State


class JobsForm(forms.Form):
    """The filters; a value that cannot be is named and left out."""

    state = forms.ChoiceField(required=False, choices=[("", "Any state"), *State.choices])
    kind = forms.ChoiceField(required=False)
    queue_class = forms.ChoiceField(
        required=False, label="Queue", choices=[("", "Any queue"), *QueueClass.choices]
    )
    tier = forms.CharField(required=False, max_length=16)

    def __init__(self, query: QueryDict) -> None:
        super().__init__(query, auto_id="filter-%s")
        kinds = self.fields["kind"]
        assert isinstance(kinds, forms.ChoiceField)
        kinds.choices = [("", "Any kind"), *sorted((kind.name, kind.label) for kind in registered.values())]
        self.fields["tier"].widget.attrs |= {"placeholder": "Any tier", "autocomplete": "off"}
        for name, field in self.fields.items():
            if isinstance(field, forms.ChoiceField):
                field.error_messages["invalid_choice"] = f"{name} is not one of those in the list"

    def asked(self) -> tuple[dict[str, str], list[str]]:
        """Return the filters that could be understood, and a sentence for each that could not."""
        self.is_valid()
        problems = [str(error) for errors in self.errors.values() for error in errors]
        return {name: value for name, value in self.cleaned_data.items() if value}, problems
