"""Who is told: the outbox, its sender, and the ways out."""
