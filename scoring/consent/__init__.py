"""Consent: its words, its records, the ledger that keeps them and the decisions it gives."""
