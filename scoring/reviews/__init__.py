"""Decisions looked at again by a person who had no part in them."""
