"""Commands of the host itself."""
