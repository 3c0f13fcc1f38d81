"""Two models on the same rows: who would be treated otherwise, who moves, and why."""
