"""Whether groups of members fare alike: metrics, proxies, and less discriminatory models."""
