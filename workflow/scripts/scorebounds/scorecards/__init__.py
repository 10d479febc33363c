"""Interpretation of the score of a model: matching, inference, verdicts, page."""
