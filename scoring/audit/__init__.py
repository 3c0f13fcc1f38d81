"""The audit chain: what happened, in an order nobody can change unseen, and the proof of it."""
