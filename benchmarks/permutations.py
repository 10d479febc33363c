"""Cost of a measure's null distribution: 1000 shuffles of a model of 1080 × 100.

As a score card draws it: 72 conditions of 15 times are exchanged, and the share of either side is
worked out once. Beside it the same scores from the two matrices each.
Processor time, one thread.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
import yaml

from scorebounds.measures import registry
from scorebounds.scorecards.inference import ResamplingSettings, null_scores
from scorebounds.scorecards.matching import Matched

N_TIMES, N_CONDITIONS, N_NEURONS = 15, 72, 100
N_SHUFFLES = 1000
SLOW = {"ridge_cv_tuned": 50}  # shuffles that are timed in place of all
N_SINGLE = 20


def made_up():
    """Return a recording, and a model that shares half of it, whose first PCs dominate."""
    rng = np.random.default_rng(0)
    size = (N_TIMES, N_CONDITIONS, N_NEURONS)
    scale = 0.95 ** np.arange(N_NEURONS)
    shared, own = (rng.standard_normal(size) * scale for _ in range(2))
    return Matched(shared + rng.standard_normal(size) * 0.1, shared + own, np.arange(N_CONDITIONS))


def seconds(work):
    """Return processor seconds and the result."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def timed(matched, name):
    """Return the row of one measure."""
    measure, n = registry.load(name), SLOW.get(name, N_SHUFFLES)
    x = torch.from_numpy(matched.reference.reshape(-1, N_NEURONS))
    null_scores(matched, measure, ResamplingSettings(2, 10, 0))  # warm up
    together, null = seconds(lambda: null_scores(matched, measure, ResamplingSettings(n, 10, 0)))

    def from_matrices():
        rng = np.random.default_rng(0)
        orders = [rng.permutation(N_CONDITIONS) for _ in range(N_SINGLE)]
        shuffled = [torch.from_numpy(matched.model[:, o].reshape(-1, N_NEURONS)) for o in orders]
        return [measure.score(x, y).item() for y in shuffled]

    apart, single = seconds(from_matrices)
    together *= N_SHUFFLES / n
    apart *= N_SHUFFLES / N_SINGLE
    differ = np.abs(null[:N_SINGLE] - single).max()
    numbers = (f"{together:.1f}", f"{apart:.1f}", f"{apart / together:.1f}", f"{differ:.0e}")
    return " | ".join((f"| `{name}`", *numbers)) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("config.yaml"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    names = yaml.safe_load(options.config.read_text(encoding="utf-8"))["measures"]
    print("| measure | 1000 shuffles, s | from the matrices, s | ratio | largest difference |")
    print("|---|---|---|---|---|")
    matched = made_up()
    for name in names:
        print(timed(matched, name), flush=True)


if __name__ == "__main__":
    main()
