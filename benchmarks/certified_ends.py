"""Gaps between certified and attained ends of CKA, NBS and angular Procrustes, and processor time.

For spectra that fall as 1/k, by rank, or for recordings. A gap is the distance of a proven end from
one that is attained, the largest over the values of the given score; "before" is that of the bounds
in closed form. Where CKA, given or implied, is above 0.9, gaps are listed apart.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from scorebounds.core.samples import read_samples
from scorebounds.ranges.bounds import base_of, outer_range
from scorebounds.ranges.certified import certified_ends

TOLERANCE = 0.002
PAIRS = [
    ("cka", "nbs"),
    ("cka", "procrustes_angular"),
    ("nbs", "cka"),
    ("procrustes_angular", "cka"),
]
HIGHEST = 0.9 + 1e-9


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ranks", nargs="*", type=int, default=[50, 205, 727])
    parser.add_argument("--data", nargs="*", type=Path, default=[], help="prepared recordings")
    parser.add_argument("--pairs", nargs="*", type=int, default=[0], help="numbers, 0 to 3")
    parser.add_argument("--n-values", type=int, default=11, help="from 0 to 1")
    arguments = parser.parse_args()
    problems = {path.stem: spectrum_of(read_samples(path)[0]) for path in arguments.data} or {
        f"1/k, {rank}": (1 / np.arange(1, rank + 1), rank, True) for rank in arguments.ranks
    }
    grid = np.linspace(0, 1, arguments.n_values)
    print(f"values {np.round(grid[1:-1], 3)}, tolerance {TOLERANCE}, one thread")
    print("data (rank), given, implied: lower gap before, certified; upper gap before, certified")
    for name, (spectrum, rank, outside) in problems.items():
        for given, implied in (PAIRS[number] for number in arguments.pairs):
            problem = given, implied, grid, spectrum, rank
            start = time.process_time()
            found = certified_ends(*problem, outside=outside, tolerance=TOLERANCE)
            seconds = time.process_time() - start
            quick = outer_range(*problem, quick=True)
            ends = [
                (found.attained_lower - quick[0], found.attained_lower - found.lower),
                (quick[1] - found.attained_upper, found.upper - found.attained_upper),
            ]
            attained = found.attained_lower, found.attained_upper
            texts = [
                describe(*gaps, grid, grid if base_of(given) == "cka" else cka)
                for gaps, cka in zip(ends, attained, strict=True)
            ]
            print(f"{name} ({len(spectrum)}), {given}, {implied}: {'; '.join(texts)}; ", end="")
            print(f"{seconds:.1f} s", flush=True)


def spectrum_of(x):
    """Return the spectrum of data, the largest rank of Y, and whether samples leave a direction."""
    n, width = x.shape
    s = torch.linalg.svdvals(x - x.mean(0))
    s = s[s > s[0] * max(n, width) * torch.finfo(x.dtype).eps]
    return s.square().numpy(), min(width, n - 1), n - 1 > len(s)


def describe(before, after, grid, cka):
    """Say how large the gaps are where CKA is at most 0.9, and beyond if they are larger."""
    known = ~np.isnan(after)
    inner = known & (cka <= HIGHEST)
    worst = np.flatnonzero(inner)[after[inner].argmax()] if inner.any() else None
    text = "none"
    if worst is not None:
        text = f"{before[inner].max():.4f}, {after[worst]:.4f} (at {grid[worst]:.2f})"
    beyond = known & ~inner
    if beyond.any():
        text += f", CKA above .9: {before[beyond].max():.4f}, {after[beyond].max():.4f}"
    return text


if __name__ == "__main__":
    main()
