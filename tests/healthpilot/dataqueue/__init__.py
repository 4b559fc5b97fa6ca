"""The job queue, tried on real servers and with a real worker."""
