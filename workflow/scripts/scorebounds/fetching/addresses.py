"""Addresses of files: where mirrors have them, and how they are shown without secrets."""

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

# Names of parameters, in a query or after `#`, whose values are not shown.
SECRET_PARAMETERS = re.compile(
    r"(?i)([?&;#][^=&;#\s]*(?:token|key|sig|secret|pass|pw|auth|credential|jwt|access)[^=&;#\s]*=)"
    r"[^&;#\s]*"
)
# User name and password in an address.
USER = re.compile(r"(?<=://)[^/?#\s]*@")
# What can be nothing but an address with a password that lacks its http://.
WITHOUT_SCHEME = re.compile(r"//|[^/]*:[^/]*@")


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
            has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            # Python's message quotes what may be a part of the password.
            raise ValueError(
                f"{expected} an address that cannot be read; write special characters of a "
                "password percent-encoded, as %2F"
            ) from None
        if parts.scheme in ("http", "https"):
            if not has_host:
                raise ValueError(f"{expected} an http(s) address without a host")
            path = f"{parts.path.rstrip('/')}/{quote(relative_path)}"
            sources.append(urlunsplit(parts._replace(path=path)))
        elif not parts.scheme and WITHOUT_SCHEME.match(mirror):
            raise ValueError(f"{expected} an address without http:// or https://")
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
    return SECRET_PARAMETERS.sub(r"\1…", USER.sub("", source))


def without_secrets(text: str, source: str) -> str:
    """Remove from a message what `public` removes from an address that it may name.

    A server may have redirected to another address, with secrets of its own.
    """
    parts = urlsplit(source)
    for secret in (parts.netloc.rpartition("@")[0], parts.password, unquote(parts.password or "")):
        if secret:
            text = text.replace(secret, "…")
    return SECRET_PARAMETERS.sub(r"\1…", USER.sub("", text))
