"""What was recorded, once it is in the database."""

from typing import Any

from telemetry.record import flush


def shipped(model: Any) -> Any:
    """Return the model's manager after everything recorded so far was shipped."""
    assert flush(10), "what was recorded is not in the database after ten seconds"
    return model.objects
