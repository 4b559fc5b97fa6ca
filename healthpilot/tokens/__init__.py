"""API tokens: what an application shows instead of a session."""
