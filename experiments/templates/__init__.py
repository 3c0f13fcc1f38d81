"""Projects that a data scientist copies and fills with their own data."""
