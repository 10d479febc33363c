"""Synthetic data optimised towards a score, and what they capture at each score."""
