"""What a model is, for whom, on what it was trained, how it does, and who let it serve."""
