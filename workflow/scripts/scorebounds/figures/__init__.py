"""Figures: each function draws a tidy table."""
