"""Bring one dataset into the common form, and describe it."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from scorebounds.datasets import loaders
from scorebounds.datasets.report import describe

logger = logging.getLogger(__name__)


def prepare(
    name: str,
    files: list[Path],
    provenance: Mapping[str, str],
    *,
    seed: int,
    settings: Mapping[str, Any],
    custom: bool,
) -> tuple[xr.DataArray, str]:
    """Read or make a dataset; return the recording and the report of it.

    Parameters
    ----------
    name : str
        Of the dataset.
    files : list of Path
        Its raw files, none if the software makes it.
    provenance : mapping
        Further attributes of the recording.
    seed, settings, custom
        See `loaders.load`.
    """
    array = loaders.load(name, files, seed=seed, settings=settings, custom=custom)
    array.attrs.update(provenance, dataset=name)
    report = describe(array, files)
    # If the dataset is refused when it is written, the log keeps the report.
    logger.info("%s", report)
    return array, report
