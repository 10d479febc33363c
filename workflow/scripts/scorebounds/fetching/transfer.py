"""One download over HTTP: resumed where it broke off, limited in size, few at a time per host."""

import datetime as dt
import email.utils
import hashlib
import json
import logging
import re
import sys
import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlparse

import requests
import urllib3
from tqdm import tqdm

from scorebounds.fetching.slots import slot

logger = logging.getLogger(__name__)

CHUNK_BYTES = 2**16
SLOWEST_BYTES_PER_S = 100
# What a server says when it may work later.
TEMPORARY = {408, 425, 429, 500, 502, 503, 504}


class Options(NamedTuple):
    """How to download.

    Attributes
    ----------
    timeout : float
        Seconds without a byte, or with less than 100 bytes a second, after which a download has
        stalled.
    retries : int
        Further tries.
    per_host : int
        Downloads from one host at a time, over all processes of this user on this machine.
    first_wait : float
        Seconds before the first further try; they double with each.
    longest_wait : float
        A server that asks for a longer pause (Retry-After) is given up.
    most_bytes : int
        A file that is larger, also after it is decompressed, is refused.
    """

    timeout: float = 30
    retries: int = 3
    per_host: int = 2
    first_wait: float = 1
    longest_wait: float = 120
    most_bytes: int = 50_000_000_000


class InterruptedTransferError(OSError):
    """A download broke off and may go on; `wait` is what the server asks for, in seconds."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


def download(url: str, part: Path, options: Options, *, verified: bool) -> bool:
    """Download an address to `part`, going on from what is there of it already.

    Parameters
    ----------
    url : str
    part : Path
        Kept when the download breaks off; a note next to it says what it is part of.
    options : Options
    verified : bool
        Whether a checksum will tell a badly joined file; without one, only what the server vouches
        for as unchanged (ETag, Last-Modified) is gone on with.

    Returns
    -------
    bool
        Whether it was joined from several pieces.

    Raises
    ------
    OSError
        If it broke off at every try.
    ValueError
        If the server has no such file, asks for too long a pause, sends more than is allowed, or
        redirects from https to http.
    """
    joined = False
    for attempt in range(options.retries + 1):
        try:
            with slot(urlparse(url).netloc.rpartition("@")[2], options.per_host):
                joined |= _attempt(url, part, options, verified=verified)
        except InterruptedTransferError as error:
            if attempt == options.retries:
                raise
            backoff = options.first_wait * 2**attempt
            time.sleep(min(max(error.wait or 0, backoff), options.longest_wait))
        else:
            break
    return joined


def note_of(part: Path) -> Path:
    """Return where it stands what a partial file is part of."""
    return part.with_name(f"{part.name}.json")


def discard(part: Path) -> None:
    """Remove a partial file and its note."""
    part.unlink(missing_ok=True)
    note_of(part).unlink(missing_ok=True)


class Session(requests.Session):
    """A session that refuses a redirect from https to http, and reads no body of a redirect."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return where a response redirects to, if anywhere."""
        target = super().get_redirect_target(resp)
        if target:
            # Otherwise requests reads the body into memory, however long it is.
            resp.close()
        if target and urlparse(resp.url).scheme == "https":
            scheme = urlparse(urljoin(resp.url, target)).scheme
            if scheme != "https":
                raise ValueError(f"it redirects from https to {scheme}, which is not encrypted")
        return target


def _attempt(url: str, part: Path, options: Options, *, verified: bool) -> bool:
    """Download once; return whether it was put behind what was there."""
    offset, validator = _resumable(url, part, verified=verified)
    # Bytes as they are: a compressed transfer could not be gone on with.
    headers = {"Accept-Encoding": "identity", "User-Agent": "scorebounds"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
        if validator:
            headers["If-Range"] = validator
    try:
        with (
            Session() as session,
            session.get(url, headers=headers, stream=True, timeout=options.timeout) as response,
        ):
            _require_success(response, part, options)
            resumed = response.status_code == HTTPStatus.PARTIAL_CONTENT
            if resumed and not response.headers.get("Content-Range", "").startswith(
                f"bytes {offset}-"
            ):
                discard(part)
                raise InterruptedTransferError("it sent another part than the one asked for")
            part.parent.mkdir(parents=True, exist_ok=True)
            note = {"url": _url_digest(url), "validator": _validator(response)}
            note_of(part).write_text(json.dumps(note), encoding="utf-8")
            _store(response, part, offset if resumed else 0, options)
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise InterruptedTransferError(_innermost(error)) from error
    return resumed


def _resumable(url: str, part: Path, *, verified: bool) -> tuple[int, str | None]:
    """Return how many bytes are there to go on from, and what vouches for them."""
    if not part.is_file() or not note_of(part).is_file():
        discard(part)
        return 0, None
    try:
        note = json.loads(note_of(part).read_text(encoding="utf-8"))
        same = note["url"] == _url_digest(url)
        validator = note["validator"] if same else None
        usable = same and (verified or validator)
    except (ValueError, KeyError, TypeError):
        validator, usable = None, False
    return (part.stat().st_size, validator) if usable else (0, None)


def _url_digest(url: str) -> str:
    """Return what tells an address from others without writing it down: it may hold a password."""
    return hashlib.sha256(url.encode()).hexdigest()


def _validator(response: requests.Response) -> str | None:
    """Return what tells this version of the file from another; a weak ETag does not."""
    etag = response.headers.get("ETag")
    if etag and not etag.startswith("W/"):
        return etag
    return response.headers.get("Last-Modified")


def _require_success(response: requests.Response, part: Path, options: Options) -> None:
    status = response.status_code
    said = f"{status} {response.reason}".strip()
    if status in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        return
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        discard(part)
        raise InterruptedTransferError(said)
    if status in TEMPORARY:
        now = dt.datetime.now(tz=dt.UTC)
        wait = _retry_after(response.headers.get("Retry-After", ""), now)
        if wait is not None and wait > options.longest_wait:
            raise ValueError(f"{said}, and it asks to wait {wait:.0f} s; try again later")
        raise InterruptedTransferError(said, wait)
    raise ValueError(said)


def _retry_after(text: str, now: dt.datetime) -> float | None:
    """Read the header Retry-After, a number of seconds or a date; None if it is neither."""
    if text.strip().isdigit():
        return float(text)
    try:
        until = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (until.astimezone(dt.UTC) - now).total_seconds())


def _store(response: requests.Response, part: Path, offset: int, options: Options) -> None:
    """Write the body behind the first `offset` bytes, and check that it is complete."""
    encoded = response.headers.get("Content-Encoding", "identity") != "identity"
    length = response.headers.get("Content-Length", "")
    total = offset + int(length) if length.isdigit() and not encoded else None
    if total is not None and total > options.most_bytes:
        discard(part)
        raise ValueError(f"it has {total} bytes, more than the {options.most_bytes} expected")
    chunks = response.iter_content(CHUNK_BYTES) if encoded else _arriving(response, options.timeout)
    with open(part, "r+b" if offset else "wb") as file, _progress(part, total, offset) as bar:
        file.seek(offset)
        file.truncate()
        for chunk in chunks:
            if file.tell() + len(chunk) > options.most_bytes:
                discard(part)
                raise ValueError(f"it sends more than the {options.most_bytes} bytes expected")
            file.write(chunk)
            bar.update(len(chunk))
        held = file.tell()
    if total is not None and held != total:
        raise InterruptedTransferError(f"it broke off after {held} of {total} bytes")


def _arriving(response: requests.Response, timeout: float) -> Iterator[bytes]:
    """Yield bytes as they come, and give a server up that sends next to nothing."""
    since, arrived = time.monotonic(), 0
    while chunk := response.raw.read1(CHUNK_BYTES):
        yield chunk
        arrived += len(chunk)
        passed = time.monotonic() - since
        if passed > timeout:
            if arrived < SLOWEST_BYTES_PER_S * passed:
                raise InterruptedTransferError(f"it stalled: {arrived} bytes in {passed:.0f} s")
            since, arrived = time.monotonic(), 0


def _progress(part: Path, total: int | None, offset: int) -> tqdm:
    # On the terminal even where stderr is sent to a log; silent where there is no terminal.
    return tqdm(
        total=total,
        initial=offset,
        desc=part.name.removesuffix(".part"),
        unit="B",
        unit_scale=True,
        ncols=79,
        disable=None,
        file=sys.__stderr__,
    )


def _innermost(error: BaseException) -> str:
    """Say shortly what went wrong; requests and urllib3 wrap it in several layers."""
    inner: Any = error.args[0] if error.args else error
    if getattr(inner, "reason", None):
        inner = inner.reason
    if isinstance(inner, Exception) and inner.args:
        inner = inner.args[0]
    return re.sub(r"^HTTPS?Connection\(.*?\): ", "", " ".join(str(inner).split()))
