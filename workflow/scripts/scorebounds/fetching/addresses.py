"""Addresses of files: where mirrors have them, and how they are shown without secrets."""

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

# Names of query parameters whose values are not shown.
SECRET_PARAMETERS = re.compile(
    r"(?i)([?&;][^=&;]*(?:token|key|sig|secret|pass|auth|credential)[^=&;]*=)[^&;#]*"
)


def is_remote(source: str) -> bool:
    """Tell whether a source is an address on a network, not a path."""
    return urlsplit(source).scheme in ("http", "https")


def mirror_sources(mirrors: Sequence[str], relative_path: str) -> list[str]:
    """Return where each mirror (folder, file:// or http(s)://) would have a file.

    Raises
    ------
    ValueError
        If a mirror is none of these; the message has nothing of it that may be secret.
    """
    sources = []
    for mirror in mirrors:
        expected = "mirrors: expected a folder, file:// or http(s):// address, got"
        try:
            parts = urlsplit(mirror)
        except ValueError as error:
            raise ValueError(f"{expected} an address that cannot be read ({error})") from None
        if parts.scheme in ("http", "https"):
            path = f"{parts.path.rstrip('/')}/{quote(relative_path)}"
            sources.append(urlunsplit(parts._replace(path=path)))
        elif parts.scheme in ("", "file"):
            folder = unquote(parts.path) if parts.scheme else mirror
            sources.append(str(Path(folder) / relative_path))
        else:
            raise ValueError(f"{expected} one that starts with {parts.scheme + ':'!r}")
    return sources


def public(source: str) -> str:
    """Return an address without user name, password and secret parameters.

    Examples
    --------
    >>> public("https://user:word@host.org/a.zip?token=123&download=1")
    'https://host.org/a.zip?token=…&download=1'
    """
    if not is_remote(source):
        return source
    parts = urlsplit(source)
    shown = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return SECRET_PARAMETERS.sub(r"\1…", shown)


def without_secrets(text: str, source: str) -> str:
    """Remove from a message what `public` removes from an address that it may name."""
    parts = urlsplit(source)
    secrets = [source, parts.netloc.rpartition("@")[0], parts.password or "", parts.query]
    for secret in filter(None, secrets):
        shown = {source: public(source), parts.query: urlsplit(public(source)).query}
        text = text.replace(secret, shown.get(secret, "…"))
    return text
