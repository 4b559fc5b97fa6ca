"""Management commands that bring events in."""
