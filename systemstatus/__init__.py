"""What is up, what changed and who is told: the audit trail first."""
