"""The design system on one page: every token, every component in every state; for people and for tests."""
