"""Imports from the browser: an uploaded file, its mapping, and the job that brings its events in."""
