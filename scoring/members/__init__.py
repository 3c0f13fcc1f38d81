"""What members do and see, and staff on their behalf: consents, records, explanations, proofs."""
