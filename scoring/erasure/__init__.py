"""Forgetting a member for good, step by step, and what the law forbids to forget."""
