"""Networks that the workflow trains, and the comparison of their layers."""
