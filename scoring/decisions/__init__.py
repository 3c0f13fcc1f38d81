"""A score asked for and answered: consent, features, model, policy and audit in one use case."""
