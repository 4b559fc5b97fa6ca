"""Imports from the browser."""
