"""Tests of telemetry.importer."""
