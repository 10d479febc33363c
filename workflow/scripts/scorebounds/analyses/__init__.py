"""Analyses of arrays in memory: cards, comparisons, ranges and thresholds as result objects."""
