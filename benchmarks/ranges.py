"""Cost of a range of NBS over 20 values of CKA, constrained search against joint optimisation.

At 1080 samples and 727 neurons with a spectrum that falls as 1/rank, on one thread. The joint
optimisation is timed for a few steps with few targets and extrapolated to as many targets as the
search has ends, and to its number of steps in config.yaml.
"""

import argparse
import time

import numpy as np
import torch

from scorebounds.ranges.attained import SearchSettings, find_ends
from scorebounds.ranges.families import paths
from scorebounds.ranges.joint import FixedX, optimize_jointly
from scorebounds.ranges.reduced import ReducedSpace

N_VALUES = 20
SEARCH_SETTINGS = SearchSettings(n_starts=6, n_rounds=8, n_steps=15, n_passes=1)
JOINT_STEPS = 60
TIMED_TARGETS, TIMED_STEPS = 4, 2


def draw(*shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def search_ends(x, grid, names):
    """Return the smallest and largest second scores found for each value of the first."""
    space, ends = ReducedSpace(x, 0), []
    starts = list(paths(space, 0, grid).values())
    for sign in (-1, 1):
        found = find_ends(space, names, grid, sign, starts, SEARCH_SETTINGS)
        best = [found.best(index, sign)[0] for index in range(len(grid))]
        ends += [found.b[row].item() for row in best]
    return ends


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", nargs=2, type=int, default=[1080, 727])
    n, p = parser.parse_args().shape
    torch.set_num_threads(1)
    x = draw(n, p, seed=0) * torch.arange(1, p + 1) ** -0.5
    grid = torch.linspace(0.05, 0.95, N_VALUES, dtype=torch.float64)
    names = ("cka", "nbs")

    start = time.perf_counter()
    assert np.isfinite(search_ends(x, grid, names)).all()
    search = time.perf_counter() - start

    settings = {"n_targets": TIMED_TARGETS, "learning_rate": 0.1}
    first = draw(n, p, seed=1)
    start = time.perf_counter()
    evaluate = FixedX(x, names).scorer()
    optimize_jointly(evaluate, first, grid, max_steps=TIMED_STEPS, **settings)
    step = (time.perf_counter() - start) / (TIMED_STEPS + 1) / TIMED_TARGETS
    joint = step * 2 * N_VALUES * JOINT_STEPS
    print(f"range of NBS over {N_VALUES} values of CKA at {n} × {p}, one thread")
    print(f"constrained search, {2 * N_VALUES} ends: {search:.1f} s")
    print(f"joint optimisation, {1e3 * step:.0f} ms per step and target (timed)")
    print(f"  {2 * N_VALUES} targets, {JOINT_STEPS} steps (extrapolated): {joint:.0f} s")
    print(f"ratio: {joint / search:.1f}")


if __name__ == "__main__":
    main()
