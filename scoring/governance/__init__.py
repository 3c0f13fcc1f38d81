"""Which model may serve: gates declared beforehand, verdicts on models, what is known of each model."""
