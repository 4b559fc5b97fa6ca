"""The host's own pages: the front page, whether it lives, and the choice of theme."""
