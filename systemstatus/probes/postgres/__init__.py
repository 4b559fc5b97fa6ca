"""The questions asked of PostgreSQL, one module a kind, each with its remedy where there is one."""
