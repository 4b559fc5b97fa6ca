"""The forms of an import: the file, then where each column of the event comes from."""

from collections.abc import Mapping, Sequence

from django import forms

from healthpilot.imports.guess import guessed
from healthpilot.imports.jobs import ImportPayload
from healthpilot.imports.models import Upload
from telemetry.importer.plan import FIELDS

KINDS = (("llm", "LLM calls"), ("job", "Background jobs"))
DELIMITERS = ((",", "Comma"), (";", "Semicolon"), ("\t", "Tab"), ("|", "Pipe"))
PLAIN = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_."


class UploadForm(forms.Form):
    """A file and what its rows are."""

    file = forms.FileField(label="File", help_text="CSV or JSON Lines, gzip too.")
    kind = forms.ChoiceField(label="A row is one of the", choices=KINDS, initial="llm")


class MappingForm(forms.Form):
    """For each column of the event a column or expression of the file, or one value for every row."""

    timezone = forms.CharField(
        label="Time zone",
        required=False,
        max_length=64,
        initial="UTC",
        help_text="Of times that state none.",
    )
    delimiter = forms.ChoiceField(label="Columns end with", choices=DELIMITERS, required=False)

    def __init__(
        self, data: Mapping[str, str] | None, *, upload: Upload, header: Sequence[str], delimiter: str
    ):
        super().__init__(data, initial={"delimiter": delimiter, "timezone": "UTC"})
        self.upload = upload
        likely = guessed(FIELDS[upload.kind], header)
        for target in FIELDS[upload.kind]:
            column = forms.CharField(label=f"{target}: column or expression", required=False, max_length=500)
            column.widget.attrs |= {"list": "columns", "autocomplete": "off", "spellcheck": "false"}
            column.initial = quoted(likely[target]) if target in likely else ""
            value = forms.CharField(
                label=f"{target}: one value for every row", required=False, max_length=200
            )
            value.widget.attrs |= {"autocomplete": "off"}
            self.fields |= {f"map-{target}": column, f"set-{target}": value}

    def lines(self) -> list[tuple[str, forms.BoundField, forms.BoundField]]:
        """Return each target column with its two fields."""
        return [(target, self[f"map-{target}"], self[f"set-{target}"]) for target in FIELDS[self.upload.kind]]

    def payload(self) -> ImportPayload:
        """Return what the job is asked to do, of a valid form."""
        values = self.cleaned_data
        targets = FIELDS[self.upload.kind]
        return ImportPayload(
            upload=str(self.upload.pk),
            kind="job" if self.upload.kind == "job" else "llm",
            mapped={target: values[f"map-{target}"] for target in targets if values[f"map-{target}"]},
            fixed={target: values[f"set-{target}"] for target in targets if values[f"set-{target}"]},
            timezone=values["timezone"],
            delimiter=values["delimiter"] or ",",
        )


def quoted(name: str) -> str:
    """Return a column's name as the mapping language writes it."""
    is_plain = all(character in PLAIN for character in name) and name[:1].isalpha()
    return name if is_plain else '"' + name.replace('"', '""') + '"'
