"""Allowable ranges: which pairs of scores are possible."""
