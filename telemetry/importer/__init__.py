"""Imports events from CSV and JSON Lines: streamed, checked row by row, resumable, never counted twice."""
