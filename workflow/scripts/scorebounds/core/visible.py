"""Text of users, as file names and labels, without characters that change what is shown of it."""

import re

# Control characters but tab and line feed, marks of the direction of text, lone surrogates.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def visible(text: object) -> str:
    r"""Return text in which hidden control characters and directions are escaped.

    >>> visible("a\x1b[31m\u202eb")
    'a\\x1b[31m\\u202eb'
    """
    return _HIDDEN.sub(
        lambda found: (
            found[0].encode("ascii", "backslashreplace").decode()
            if ord(found[0]) > 0x7F
            else f"\\x{ord(found[0]):02x}"
        ),
        str(text),
    )
