"""How well task variables can be decoded from activity."""
