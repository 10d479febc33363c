"""Figures: each draws a tidy table and computes nothing."""
