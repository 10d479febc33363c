"""Synthetic data optimised towards a score, and what they capture on the way."""
