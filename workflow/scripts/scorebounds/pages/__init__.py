"""Pages about a whole run: the index of its results, and the explorer."""
