"""Django's PostgreSQL backend with patience: a server that falls silent is given up, not waited for."""
