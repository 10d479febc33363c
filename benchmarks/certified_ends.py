"""Certified ends of NBS at 11 values of CKA: processor time and gaps, by rank, on one thread.

Spectra that fall as 1/k. A gap is the distance of a proven end from one that is attained; the ratio
says how many times wider the largest gap of the bounds in closed form is.
"""

import argparse
import time

import numpy as np

from scorebounds.ranges.bounds import outer_range
from scorebounds.ranges.certificate_lower import LowerDual
from scorebounds.ranges.certificate_upper import UpperDual
from scorebounds.ranges.certified import certified_range
from scorebounds.ranges.reach_lower import reach_lower
from scorebounds.ranges.reach_upper import reach_upper

TOLERANCE = 0.002
NAMES = ("lower", "upper")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ranks", nargs="*", type=int, default=[50, 205, 727])
    parser.add_argument("--n-values", type=int, default=11)
    arguments = parser.parse_args()
    grid = np.linspace(0, 1, arguments.n_values)
    print(f"NBS at {len(grid)} values of CKA, tolerance {TOLERANCE}, one thread")
    for rank in arguments.ranks:
        spectrum = 1 / np.arange(1, rank + 1)
        spectrum /= spectrum.sum()
        start = time.process_time()
        certified = certified_range("cka", "nbs", grid, spectrum, rank, tolerance=TOLERANCE)
        seconds = time.process_time() - start
        quick = outer_range("cka", "nbs", grid, spectrum, rank, quick=True)
        inner = [index for index, cka in enumerate(grid) if 0 < cka <= 0.9 + 1e-9]
        lows = [reach_lower(LowerDual(spectrum, grid[i], rank)).score for i in inner]
        highs = [reach_upper(UpperDual(spectrum, grid[i], outside=True)).score for i in inner]
        print(f"rank {rank}: {seconds:.1f} s", flush=True)
        for end, attained, sign in ((0, lows, -1), (1, highs, 1)):
            before, after = (sign * (ends[end][inner] - attained) for ends in (quick, certified))
            worst = grid[inner[int(after.argmax())]]
            print(
                f"  {NAMES[end]} end: largest gap {after.max():.4f} at CKA {worst:.2f}, "
                f"closed form {before.max():.3f}; ratio: {before.max() / after.max():.0f}"
            )


if __name__ == "__main__":
    main()
