"""What a score is worth to whoever would push it: attacks on simulated members."""
