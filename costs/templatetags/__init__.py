"""Template tags of the cost pages."""
