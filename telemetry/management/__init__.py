"""Management commands of telemetry."""
