"""What every page of the project shares."""

VERSION = "0.1.0"
