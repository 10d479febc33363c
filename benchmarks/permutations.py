"""Cost of a measure's null distribution: 1000 shuffles of a model of 1080 × 100.

As a score card draws it: 72 conditions of 15 times are exchanged, and what depends on one side only
is computed once. It is compared with scoring the two matrices again for each permutation. Processor
time, one thread.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
import yaml

from scorebounds.measures import registry
from scorebounds.scorecards.matched import Matched
from scorebounds.scorecards.permutations import distinct_orders, null_scores
from scorebounds.scorecards.samples import flatten, fold_options

N_TIMES, N_CONDITIONS, N_NEURONS = 15, 72, 100
N_SHUFFLES = 1000
SLOW = {"ridge_cv_tuned": 100}  # shuffles that are timed in place of all
N_SINGLE = 10


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
    orders = distinct_orders(N_CONDITIONS, n, seed=0)
    null_scores(matched, [measure], orders[:2])  # warm up
    together, null = seconds(lambda: null_scores(matched, [measure], orders)[name])

    def from_matrices():
        x, y = (flatten(side) for side in (matched.reference, matched.model))
        places = np.arange(N_TIMES)[:, None] * N_CONDITIONS
        options = fold_options(matched, measure)
        found = []
        for order in orders[:N_SINGLE]:
            # Folds stay with the rows of the model, and so the recording is what is permuted.
            partners = torch.from_numpy(np.argsort((places + order).ravel()))
            found.append(measure.score(x[partners], y, **options).item())
        return found

    apart, single = seconds(from_matrices)
    together *= N_SHUFFLES / n
    apart *= N_SHUFFLES / N_SINGLE
    differ = np.abs(null[:N_SINGLE] - single).max()
    numbers = (f"{together:.1f}", f"{apart:.1f}", f"{apart / together:.1f}", f"{differ:.0e}")
    return " | ".join((f"| `{name}`", *numbers)) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measures", nargs="+", help="of the settings and RBF CKA if not given")
    parser.add_argument("--config", type=Path, default=Path("config.yaml"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    settings = yaml.safe_load(options.config.read_text(encoding="utf-8"))
    names = options.measures or [*settings["measures"], "cka_rbf_0.4"]
    print("| measure | 1000 shuffles, s | from the matrices, s | ratio | largest difference |")
    print("|---|---|---|---|---|")
    matched = made_up()
    for name in names:
        print(timed(matched, name), flush=True)


if __name__ == "__main__":
    main()
