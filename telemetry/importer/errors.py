"""What can go wrong with a whole import; a bad row is never one of these, it is listed with its reason."""


class ImportRefusedError(ValueError):
    """The file or the arguments cannot be used as they are; the text is one line that says how to mend it."""


class ImportFailedError(RuntimeError):
    """The import stopped part-way; what it had stored is kept, and running it again goes on from there."""
