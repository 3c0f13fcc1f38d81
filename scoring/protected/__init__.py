"""Protected attributes, in a store of their own, each reading on record."""
