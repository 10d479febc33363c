"""Mante et al. 2013: one MATLAB file per unit, trials of a context-dependent decision task."""

import io
import logging
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

import numpy as np
import scipy.io
import xarray as xr

from scorebounds.core.recording import recording

logger = logging.getLogger(__name__)

BIN_MS = 50
N_CONDITIONS = 72
HZ_PER_SPIKE_PER_MS = 1000.0
# Prefix of the files of each monkey.
MONKEYS = {"A": "ar", "F": "fe"}
# A unit has at most a few thousand trials of 751 bytes.
MAX_UNIT_BYTES = 50_000_000


def load(files: list[Path], *, monkeys: Sequence[str]) -> xr.DataArray:
    """Average correct trials of the units in the published zip, which is not unpacked.

    Parameters
    ----------
    files : list of one Path
    monkeys : sequence of str
        `A`, `F` or both, whose units then make one pseudo-population.

    Returns
    -------
    DataArray, dims (time, condition, neuron)
        See `average_units`.
    """
    (path,) = files
    try:
        with zipfile.ZipFile(path) as archive:
            return average_units(_units(archive, path, monkeys))
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path}: expected a zip file: {error}") from error


def _units(
    archive: zipfile.ZipFile, path: Path, monkeys: Sequence[str]
) -> Iterator[tuple[Path, IO[bytes]]]:
    """Yield name and content of each unit's file, in the order of their names."""
    prefixes = "|".join(MONKEYS[monkey] for monkey in monkeys)
    pattern = re.compile(rf"({prefixes})\d+_\d+_a\d+_Vstim_100_850_ms\.mat")
    found: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        _require_harmless(path, member)
        name = PurePosixPath(member.filename).name
        if pattern.fullmatch(name):
            if name in found:
                raise ValueError(f"{path}: expected each unit once, got {name} twice")
            found[name] = member
    if not found:
        raise ValueError(
            f"{path}: expected files of monkey {' or '.join(monkeys)} named like "
            f"{prefixes.split('|')[0]}090313_1_a1_Vstim_100_850_ms.mat, got none"
        )
    for name in sorted(found):
        yield path / name, io.BytesIO(archive.read(found[name]))


def _require_harmless(path: Path, member: zipfile.ZipInfo) -> None:
    """Refuse an archive with a file outside it or one that is larger than any unit."""
    # `filename` has been brought to forward slashes and cut at a null byte.
    parts = PurePosixPath(member.filename.replace("\\", "/")).parts
    outside = member.orig_filename.startswith(("/", "\\")) or ".." in parts
    if outside or ":" in "".join(parts[:1]):
        raise ValueError(f"{path}: expected files within the archive, got {member.filename!r}")
    if member.file_size > MAX_UNIT_BYTES:
        raise ValueError(
            f"{path}: expected files of at most {MAX_UNIT_BYTES / 1e6:.0f} MB, "
            f"got {member.filename!r} of {member.file_size / 1e6:.0f} MB"
        )


def average_units(units: Iterable[tuple[Path, Path | IO[bytes]]]) -> xr.DataArray:
    """Average correct trials by condition and stack the units that have all 72 conditions.

    Coherence levels differ between sessions, so conditions are matched by the rank of the
    coherence. A unit without all conditions is left out, with an entry in the log.

    Parameters
    ----------
    units : iterable of (Path, Path or file)
        Name and content of each unit's file.

    Returns
    -------
    DataArray, dims (time, condition, neuron)
        15 × 72 × n_units rates in Hz, in 50 ms bins.
    """
    kept, halves, left_out, time, reference_conditions = [], [], [], None, None
    for name, source in units:
        conditions, rates, time = _condition_averages(name, source)
        if len(conditions) != N_CONDITIONS:
            left_out.append(f"{name.stem} ({len(conditions)})")
            continue
        if reference_conditions is None:
            reference_conditions = conditions
        if not np.array_equal(conditions, reference_conditions):
            raise ValueError(f"{name}: expected the {N_CONDITIONS} conditions of the other units")
        kept.append(rates[0])
        halves.append(rates[1:])
    if reference_conditions is None:
        raise ValueError(f"expected a unit with {N_CONDITIONS} conditions in {len(left_out)} files")
    done = [f"averaged the correct trials of each condition, in bins of {BIN_MS} ms"]
    if left_out:
        done.append(
            f"left out {len(left_out)} of {len(left_out) + len(kept)} units, which have not all "
            f"{N_CONDITIONS} conditions: {', '.join(left_out)}"
        )
        logger.info("%s", done[-1])
    choice, motion, colour, context = reference_conditions.T
    labels = {
        "choice": np.where(choice > 0, "preferred", "other"),
        "motion": np.where(motion > 0, "preferred", "other"),
        "colour": np.where(colour > 0, "preferred", "other"),
        "context": np.where(context > 0, "motion", "colour"),
    }
    return recording(
        np.stack(kept, axis=-1),
        labels,
        units="Hz",
        time=time,
        names=condition_names(motion, colour, labels["context"]),
        halves=list(np.stack(halves, axis=-1)),
        done=done,
    )


def condition_names(motion: np.ndarray, colour: np.ndarray, context: np.ndarray) -> np.ndarray:
    """Name conditions by the ranks of both coherences, from −3 to 3 without 0, and the context."""
    return np.array(
        [
            f"{relevant} counts, motion {m:+d}, colour {c:+d}"
            for m, c, relevant in zip(motion, colour, context, strict=True)
        ]
    )


def _condition_averages(
    name: Path, source: Path | IO[bytes]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return conditions, mean rates in Hz and bin centres in ms of one unit.

    Conditions are (n, 4); the rates (3, n_bins, n): of all trials, and of every other trial from
    the first and from the second one on, NaN where a condition has one trial.
    """
    try:
        unit = scipy.io.loadmat(cast("Any", source), simplify_cells=True)["unit"]
        variables = unit["task_variable"]
        # Conditions are sorted by choice, motion, colour and context.
        columns = [variables["targ_dir"], _signed_rank(variables["stim_dir"])]
        columns += [_signed_rank(variables["stim_col2dir"]), variables["context"]]
        response, correct = unit["response"], np.asarray(variables["correct"]) == 1
        times_s = np.asarray(unit["time"])
    except (KeyError, TypeError, ValueError, OSError, scipy.io.matlab.MatReadError) as error:
        raise ValueError(f"{name}: expected a unit of Mante et al. 2013: {error!r}") from error
    conditions, of_trial = np.unique(np.column_stack(columns), axis=0, return_inverse=True)
    n_bins = response.shape[1] // BIN_MS
    spikes = response[:, : n_bins * BIN_MS].astype(np.float64)
    by_bin = spikes.reshape(len(spikes), n_bins, BIN_MS).mean(-1)
    kept, rates = [], []
    for index in range(len(conditions)):
        trials = of_trial == index
        # A choice against the evidence is an error: such a condition has no correct trial.
        if correct[trials].all():
            kept.append(index)
            spiked = by_bin[trials]
            halves = [
                spiked[first::2].mean(0) if len(spiked) > 1 else np.full(n_bins, np.nan)
                for first in (0, 1)
            ]
            rates.append([spiked.mean(0), *halves])
    edges_ms = 1000 * times_s[: n_bins * BIN_MS : BIN_MS]
    return (
        conditions[kept].astype(np.int64),
        HZ_PER_SPIKE_PER_MS * np.array(rates).transpose(1, 2, 0),
        np.round(edges_ms) + BIN_MS / 2,
    )


def _signed_rank(values: np.ndarray) -> np.ndarray:
    """Rank signed levels outwards from zero: −2 and −1 below it, 1 and 2 above."""
    levels, index = np.unique(values, return_inverse=True)
    ranks = np.arange(len(levels)) - np.sum(levels <= 0)
    return (ranks + (ranks >= 0))[index]
