"""Fetch a file from the first source that has it whole."""

import logging
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote, unquote, urlparse

import pooch
from tqdm import tqdm

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 30
RETRIES = 3
CHUNK_BYTES = 2**16


def mirror_sources(mirrors: Sequence[str], relative_path: str) -> list[str]:
    """Return where each mirror (folder, file:// or http(s)://) would have a file."""
    sources = []
    for mirror in mirrors:
        parts = urlparse(mirror)
        if parts.scheme in ("http", "https"):
            sources.append(f"{mirror.rstrip('/')}/{quote(relative_path)}")
        elif parts.scheme in ("", "file"):
            folder = unquote(parts.path) if parts.scheme else mirror
            sources.append(str(Path(folder) / relative_path))
        else:
            raise ValueError(f"mirror {mirror!r}: expected a folder, file:// or http(s):// address")
    return sources


def fetch(target: Path, sources: Sequence[str], sha256: str, *, offline: bool = False) -> None:
    """Fetch `target` from the first source that has it, checked before it is put in place.

    Parameters
    ----------
    target : Path
    sources : sequence of str
        Paths and http(s) addresses, in order of preference.
    sha256 : str
        The file's checksum; a file that does not match is not kept.
    offline : bool
        Leave out every address on a network.

    Raises
    ------
    ValueError
        If no source has the right file; the message lists each with its reason.
    """
    reasons = []
    for source in sources:
        remote = urlparse(source).scheme in ("http", "https")
        if remote and offline:
            reasons.append(f"{source} (not asked: offline)")
            continue
        if not remote and not Path(source).is_file():
            reasons.append(f"{source} (no such file)")
            continue
        try:
            _retrieve(target, source, sha256, remote=remote)
        except (OSError, ValueError) as error:
            logger.warning("%s: %s", source, error)
            reasons.append(f"{source} ({_reason(error)})")
        else:
            logger.info("fetched %s from %s", target, source)
            return
    raise ValueError(
        f"{target}: none of its sources has it: {'; '.join(reasons) or 'there are none'}. "
        "Name a folder or address that has it under `mirrors`, or leave out what needs a "
        "network with `--config offline=true`"
    )


def _retrieve(target: Path, source: str, sha256: str, *, remote: bool) -> None:
    # pooch writes to a temporary file, checks the hash, then moves it into place.
    downloader: Callable = _http_downloader(target.name) if remote else _copy
    store = pooch.create(
        path=target.parent,
        base_url="",
        registry={target.name: f"sha256:{sha256}"},
        urls={target.name: source},
        retry_if_failed=RETRIES if remote else 0,
    )
    store.fetch(target.name, downloader=downloader)


def _http_downloader(name: str) -> pooch.HTTPDownloader:
    # On the terminal even where stderr is sent to a log; silent where there is no terminal.
    bar = tqdm(
        total=1,
        desc=name,
        unit="B",
        unit_scale=True,
        ncols=79,
        disable=None,
        file=sys.__stderr__,
    )
    return pooch.HTTPDownloader(progressbar=bar, chunk_size=CHUNK_BYTES, timeout=TIMEOUT_SECONDS)


def _copy(source: str, output_file: str, _: pooch.Pooch) -> None:
    shutil.copyfile(source, output_file)


def _reason(error: Exception) -> str:
    if isinstance(error, ValueError) and "hash" in str(error):
        return "its checksum is not the one expected"
    # requests wraps what went wrong in several layers; the innermost says it.
    wrapped = getattr(error.args[0], "reason", None) if error.args else None
    return " ".join(str(wrapped or error).split())
