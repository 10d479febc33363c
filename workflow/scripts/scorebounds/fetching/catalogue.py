"""One file of the catalogue: from the store, a mirror, or its own address."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scorebounds.fetching.addresses import mirror_sources
from scorebounds.fetching.checksums import read_lock, require_recorded
from scorebounds.fetching.fetch import fetch, restore
from scorebounds.fetching.store import Store
from scorebounds.fetching.transfer import Options


def fetch_catalogue_file(
    target: Path,
    name: str,
    urls: Sequence[str],
    checksum: str,
    n_bytes: str,
    lock: Path,
    *,
    mirrors: Sequence[str],
    offline: bool,
    downloads: Mapping[str, Any],
) -> None:
    """Put one file of the catalogue in place, checked.

    Parameters
    ----------
    target : Path
        Ends in `name`, <dataset>/<file>.
    urls : sequence of str
        Its own addresses, which are tried after the mirrors.
    checksum, n_bytes : str
        Of the catalogue, empty where they are not known. The checksum is then that of `lock`, which
        the first download writes.
    downloads : mapping
        Attributes of `Options`.
    """
    store = Store(Path(str(target).removesuffix(name)))
    with store.locked(name):
        expected = checksum or read_lock(lock).get(name, "")
        if restore(target, name, expected, store):
            return
        options = Options(**downloads)
        fetch(
            target,
            [*mirror_sources(mirrors, name), *urls],
            expected,
            offline=offline,
            options=options._replace(most_bytes=int(n_bytes)) if n_bytes else options,
            origin="data/datasets.tsv" if checksum else f"{lock} (from its first download)",
        )
        if not checksum:
            require_recorded(target, name, lock)
        store.keep(target, name)
