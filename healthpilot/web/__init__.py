"""What every page of the project shares."""
