"""Building blocks that every package uses: recordings, tables, checks, intervals, seeds, logs."""
