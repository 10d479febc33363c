"""Fetch a file from the first source that has it whole."""

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from scorebounds.fetching.addresses import is_remote, public, without_secrets
from scorebounds.fetching.checksums import matches
from scorebounds.fetching.file_types import content_fault
from scorebounds.fetching.provenance import write_source
from scorebounds.fetching.store import Store, link_or_copy
from scorebounds.fetching.transfer import Options, discard, download

logger = logging.getLogger(__name__)


def fetch(
    target: Path,
    sources: Sequence[str],
    checksum: str,
    *,
    offline: bool = False,
    options: Options | None = None,
    origin: str = "data/datasets.tsv",
) -> str:
    """Fetch `target` from the first source that has it, checked before it is put in place.

    Parameters
    ----------
    target : Path
    sources : sequence of str
        Paths and http(s) addresses, in order of preference.
    checksum : str
        `<algorithm>:<digits>`; a file that does not match is not kept. Empty: not known, and the
        file only has to hold what its name says.
    offline : bool
        Skip every address on a network.
    options : Options, optional
        How to download.
    origin : str
        Which file has the checksum, for the message.

    Returns
    -------
    str
        The source that had it, without secrets; it is also written next to the file.

    Raises
    ------
    ValueError
        If no source has the right file; the message lists each with its reason.
    """
    reasons = []
    for source in sources:
        shown, remote = public(source), is_remote(source)
        if remote and offline:
            reasons.append(f"{shown} (not asked: offline)")
            continue
        if not remote and not Path(source).is_file():
            reasons.append(f"{shown} (no such file)")
            continue
        try:
            _retrieve(target, source, checksum, options or Options(), origin, remote=remote)
        except (OSError, ValueError) as error:
            reason = without_secrets(" ".join(str(error).split()), source)
            logger.warning("%s: %s", shown, reason)
            reasons.append(f"{shown} ({reason})")
        else:
            write_source(target, shown)
            logger.info("fetched %s from %s", target, shown)
            return shown
    raise ValueError(
        f"{target}: none of its sources has it: {'; '.join(reasons) or 'there are none'}. "
        "Name a folder or address that has it under `mirrors`, or leave out what needs a "
        "network with `--config offline=true`"
    )


def restore(target: Path, name: str, checksum: str, store: Store) -> bool:
    """Put a verified file of the store in place, if it has one with the checksum."""
    kept = store.path(name)
    if not checksum or not kept.is_file() or not matches(kept, checksum):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.restored")
    link_or_copy(kept, part)
    part.replace(target)
    # Nothing was moved if they were two names of one file.
    part.unlink(missing_ok=True)
    logger.info("%s was verified before: taken from %s", target, kept)
    return True


def _retrieve(
    target: Path, source: str, checksum: str, options: Options, origin: str, *, remote: bool
) -> None:
    """Fetch the file to a place next to its own, check it, and move it there."""
    part = target.with_name(f"{target.name}.part")
    target.parent.mkdir(parents=True, exist_ok=True)
    joined = False
    if remote:
        joined = download(source, part, options, verified=bool(checksum))
    else:
        shutil.copyfile(source, part)
    fault = _fault(part, target.name, checksum, origin)
    if fault and joined:
        # Pieces of two versions of the file may have been joined: fetch it in one.
        discard(part)
        download(source, part, options, verified=bool(checksum))
        fault = _fault(part, target.name, checksum, origin)
    if fault:
        discard(part)
        raise ValueError(fault)
    part.replace(target)
    discard(part)


def _fault(part: Path, name: str, checksum: str, origin: str) -> str | None:
    """Say why a file is not the one wanted, or return None."""
    if checksum and matches(part, checksum):
        return None
    wrong = content_fault(part, name)
    if not checksum:
        return wrong
    return f"its checksum is not the one expected by {origin}" + (f": {wrong}" if wrong else "")
