"""What is in a prepared dataset, for its user to check before anything is made of it."""

import html
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import xarray as xr

from scorebounds.core.recording import samples_by_neurons
from scorebounds.fetching.checksums import checksum_of

# Products of neurons hold squares: below this share of the largest, a singular value is rounding.
RANK_TOLERANCE = 1e-7
N_CLASSES_SHOWN = 10


def spectrum_summary(activity: np.ndarray) -> tuple[int, float]:
    """Return rank and participation ratio of activity centred per neuron.

    Parameters
    ----------
    activity : ndarray, shape (n_samples, n_neurons)

    Returns
    -------
    rank : int
        Singular values above 1e-7 of the largest.
    participation_ratio : float
        (Σλ)² / Σλ² of the eigenvalues λ; between 1 and the rank.
    """
    centred = activity - activity.mean(0)
    n_samples, n_neurons = centred.shape
    product = centred.T @ centred if n_neurons <= n_samples else centred @ centred.T
    eigenvalues = np.linalg.eigvalsh(product).clip(min=0)
    total = eigenvalues.sum()
    if total == 0:
        return 0, float("nan")
    # Rounding of the products alone gives eigenvalues of about their number times the precision.
    rounding = max(RANK_TOLERANCE**2, len(product) * np.finfo(product.dtype).eps)
    rank = int((eigenvalues > rounding * eigenvalues.max()).sum())
    return rank, float(total**2 / (eigenvalues**2).sum())


def escaped(text: object) -> str:
    r"""Return text that Markdown and HTML show as it is, in one line.

    >>> escaped("a|b <script>")
    'a\\|b &lt;script&gt;'
    """
    line = "".join(letter if letter.isprintable() else " " for letter in str(text))
    return re.sub(r"([\\`*|\[\]])", r"\\\1", html.escape(line, quote=False))


def file_facts(path: Path) -> str:
    """Return size, date and checksum of a file in words."""
    status = path.stat()
    date = datetime.fromtimestamp(status.st_mtime, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"{status.st_size} bytes, changed {date}, {checksum_of(path)}"


def describe(array: xr.DataArray, files: Sequence[Path]) -> str:
    """Write a report on a recording, in Markdown.

    Parameters
    ----------
    array : DataArray
        As the loader made it; it may still be refused.
    files : sequence of Path
        What it was made from.
    """
    flat = samples_by_neurons(array)
    finite = np.isfinite(flat)
    n_samples, n_neurons = flat.shape
    axes = ", ".join(f"{size} {dim}s" for dim, size in array.sizes.items())
    made_from = ", ".join(file.name for file in files[:3]) or "made by the workflow"
    if files[3:]:
        made_from += f" and {len(files) - 3} more"
    rows = [
        ("made from", made_from),
        *((str(file), file_facts(file)) for file in files[:3] if file.is_file()),
        ("axes", axes),
        ("samples × neurons", f"{n_samples} × {n_neurons}"),
        ("unit", array.attrs["units"] or "not given"),
    ]
    if "time" in array.coords:
        time = array.time
        rows.append(("times", f"{time.values[0]:g} to {time.values[-1]:g} {time.attrs['units']}"))
    rows.append(("missing or infinite values", str((~finite).sum())))
    if finite.all() and flat.size:
        rank, ratio = spectrum_summary(flat)
        least, most = flat.min(axis=0), flat.max(axis=0)
        rows += [
            ("constant (silent) neurons", str((least == most).sum())),
            ("mean; from, to", f"{flat.mean():.4g}; {least.min():.4g}, {most.max():.4g}"),
            ("rank, centred", f"{rank} of at most {min(n_samples - 1, n_neurons)}"),
            ("participation ratio", f"{ratio:.4g}"),
        ]
    lines = [f"# {escaped(array.attrs['dataset'])}", "", "| | |", "|---|---|"]
    lines += [f"| {escaped(what)} | {escaped(value)} |" for what, value in rows]
    lines += ["", "## Labels", "", *_labels(array)]
    lines += ["", "## What was done", "", *_history(array), ""]
    return "\n".join(lines)


def _labels(array: xr.DataArray) -> list[str]:
    names = array.attrs["variables"]
    if not names:
        return ["None: nothing can be decoded."]
    lines = ["| label | classes | smallest class | values |", "|---|---|---|---|"]
    for name in names:
        values, counts = np.unique(array[name].values, return_counts=True)
        shown = ", ".join(f"{value} ({n})" for value, n in zip(values, counts, strict=True))
        if len(values) > N_CLASSES_SHOWN:
            shown = f"{values[0]} to {values[-1]}"
        lines.append(f"| {escaped(name)} | {len(values)} | {counts.min()} | {escaped(shown)} |")
    return lines


def _history(array: xr.DataArray) -> list[str]:
    steps = array.attrs["history"].splitlines()
    return [f"- {escaped(step)}" for step in steps] or ["Nothing but reading it."]
