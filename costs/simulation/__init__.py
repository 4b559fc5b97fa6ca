"""Replays past days against proposed caps, hour by hour: who would have waited, when, how much, how long."""
