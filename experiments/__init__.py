"""Everything offline: simulate, train, evaluate, track, and show; only the command line imports it."""
