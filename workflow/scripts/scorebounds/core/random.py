"""Named random streams: one configured seed, one independent stream per purpose."""

import hashlib


def derived_seed(seed: int, *names: object) -> int:
    """Return a 63-bit seed that depends on `seed` and on every name.

    Streams of different names are independent, and adding one changes no other.
    """
    text = "/".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
