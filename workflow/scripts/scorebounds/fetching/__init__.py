"""Download, checksums and provenance of raw files."""
