"""What a similarity score between two representations means: pure functions on arrays."""
