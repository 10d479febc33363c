"""Similarity measures, a module per family; `registry` lists and loads them."""
