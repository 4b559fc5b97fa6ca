"""Alerts: the life of each, the cycle that moves them all, what pages read, what people do."""
