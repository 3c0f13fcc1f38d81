"""A challenger beside the champion: in shadow, then for a share of members."""
