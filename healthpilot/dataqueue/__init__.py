"""Background jobs: one PostgreSQL row each, done in batches that commit their work with how far they came."""
