"""Governance: the repository's documents as its only memory, checked on every management command."""
