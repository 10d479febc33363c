"""Loaders: one module per recording, and readers of users' files."""
