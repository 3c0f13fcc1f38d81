"""Exact integer aggregates over sorted events, and the expressions that builders write with them."""
