"""Datasets that the software makes itself, so that their ground truth is known."""
