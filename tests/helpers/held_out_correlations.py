"""Coverage of intervals of held-out correlations, with scores and intervals of the library.

`python -m helpers.held_out_correlations 60` in the folder tests prints a table of docs/truth.md,
with half as many draws for partial least squares.
"""

import sys
from dataclasses import replace

import numpy as np
import torch

from helpers.held_out import SHARES, WORLDS
from helpers.worlds import matched_pair
from scorebounds.measures import registry
from scorebounds.scorecards.replicates import jackknife_replicates
from scorebounds.scorecards.samples import flatten, fold_options
from scorebounds.scorecards.score_intervals import score_interval

# Models of these worlds have 20 dimensions, too few for the usual 25 components.
RIDGE, PLS = "ridge_cv_pearson_100", "pls_cv_pearson_10"
# Partial least squares takes many times as long, and needs as many units as components.
WORLDS_OF = {RIDGE: list(WORLDS), PLS: ["72 × 60, 40"]}
FEWER = {RIDGE: 1, PLS: 2}


def simulate(world, name, n_draws, n_truth, seed):
    """Return the mean and standard deviation of scores, and the ends of intervals, (2, n_draws)."""
    rng, measure = np.random.default_rng(seed), registry.load(name)
    populations = world.populations(rng)

    def drawn():
        x, y, run = world.samples(rng, populations)
        matched = replace(matched_pair(x, y), groups=run)
        sides = (flatten(side) for side in (x, y))
        return matched, measure.score(*sides, **fold_options(matched, measure)).item()

    known = [drawn()[1] for _ in range(n_truth)]
    ends = np.empty((2, n_draws))
    for draw in range(n_draws):
        matched, score = drawn()
        found = jackknife_replicates(matched, measure, n_groups=10, seed=seed + draw)
        scored = {"score": score, "is_informative": True, "null_mean": 0.0}
        scored["n_conditions"] = world.n
        interval = score_interval(scored, found, measure, world.times)
        ends[:, draw] = interval["score_low"], interval["score_high"]
    return np.mean(known), np.std(known), ends


def coverage(mean, sd, ends):
    """Return the rate of coverage and the width, relative to what the normal distribution needs.

    Draws whose interval would contain nearly every score have none, and do not count.
    """
    low, high = ends[:, np.isfinite(ends[0])]
    return np.mean((low <= mean) & (mean <= high)), (high - low).mean() / 2 / 1.96 / sd


def main(n_draws):
    print("| conditions × neurons, units | measure | mean score | coverage | width |")
    print("|---|---|---|---|---|")
    for name, worlds in WORLDS_OF.items():
        for number, world in enumerate(worlds):
            cells = []
            for shared in SHARES:
                of_share = replace(WORLDS[world], shared=shared)
                seed = 1000 * (number + 1) + int(100 * shared)
                n = n_draws // FEWER[name]
                found = simulate(of_share, name, n, 3 * n, seed)
                cells.append([f"{found[0]:.2f}", *(f"{value:.2f}" for value in coverage(*found))])
            columns = (", ".join(column) for column in zip(*cells, strict=True))
            print(f"| {world} | `{name}` | {' | '.join(columns)} |", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(int(sys.argv[1]))
