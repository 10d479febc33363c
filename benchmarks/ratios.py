"""How much faster regressions, a perturbation and an optimisation are than their plain forms.

    OMP_NUM_THREADS=1 PYTHONPATH=workflow/scripts .venv/bin/python benchmarks/ratios.py

The plain forms are those that the code replaced, or the definition, computed in the same run.
Processor time of one thread, with the time that the system takes for memory.
"""

import subprocess
import sys
import time
from unittest import mock

import numpy as np
import torch
from permutations import N_CONDITIONS, made_up
from sklearn.cross_decomposition import PLSRegression
from steps import correlated_pair

from scorebounds.measures import cross_validation, registry
from scorebounds.measures.components import principal_components
from scorebounds.measures.folds import fold_bounds
from scorebounds.measures.nested import TUNING_GRID
from scorebounds.optimization.perturbation import (
    perturb_components,
    perturbed_scores,
    random_directions,
)
from scorebounds.scorecards.permutations import distinct_orders, null_scores
from scorebounds.scorecards.samples import flatten

N_SAMPLES, N_NEURONS = 1080, 727
# Seconds of work that is not repeated.
LONG = 4.0
# Permutations that are timed in place of 1000.
N_SHUFFLES = 20
# An optimisation of five seeds of 3950 × 141 in a process of its own.
OPTIMIZATION = """
import sys, time, torch
from scorebounds.core.allocation import keep_freed_memory
from scorebounds.measures import registry
from scorebounds.optimization.optimize import optimize, starting_points
if sys.argv[1] == "now":
    keep_freed_memory()
torch.set_num_threads(1)
x = starting_points((3950, 141), 0, ("x",), 1)[0] * torch.arange(1, 142) ** -0.5
starts = starting_points((3950, 141), 0, ("y",), 5)
start = time.process_time()
settings = {"stop_score": 0.99, "max_steps": 12, "learning_rate": 0.1, "n_checkpoints": 0}
optimize(x, registry.load(sys.argv[2]), starts, **settings)
print(time.process_time() - start)
"""


def seconds(work):
    """Return the shortest processor time of three, or of one that is long, and the result."""
    times = []
    while len(times) < 3 and sum(times) < LONG:
        start = time.process_time()
        result = work()
        times.append(time.process_time() - start)
    return min(times), result


def one_regression_per_fold(score, y):
    with mock.patch.object(cross_validation, "by_samples_is_faster", return_value=False):
        return score(y)


def one_least_squares_per_fold(score, y):
    with mock.patch.object(cross_validation, "held_out_r2_by_qr", return_value=None):
        return score(y)


def thousand_shuffles():
    """Return CPU seconds of tuned ridge for 1000 permutations: by its definition, and now."""
    matched = made_up()
    x, y = (flatten(side) for side in (matched.reference, matched.model))
    one, _ = seconds(lambda: tuned_by_definition(x, y))
    orders = distinct_orders(N_CONDITIONS, N_SHUFFLES, seed=0)
    tuned = registry.load("ridge_cv_tuned")
    now, _ = seconds(lambda: null_scores(made_up(), [tuned], orders))
    return 1000 * one, 1000 / N_SHUFFLES * now


def with_gradient(score, y):
    moving = y.clone().requires_grad_()
    return torch.autograd.grad(score(moving), moving)[0][0, 0]


def solved(x, y, penalty):
    identity = torch.eye(y.shape[1], dtype=y.dtype)
    return torch.linalg.solve(y.mT @ y + penalty * identity, y.mT @ x)


def held_out_r2(x, y, train, test, penalty):
    mean_x, mean_y = x[train].mean(0), y[train].mean(0)
    weights = solved(x[train] - mean_x, y[train] - mean_y, penalty)
    residual = x[test] - mean_x - (y[test] - mean_y) @ weights
    return 1 - residual.square().sum() / (x[test] - mean_x).square().sum()


def splits(n):
    for start, stop in fold_bounds(n):
        test = torch.zeros(n, dtype=torch.bool)
        test[start:stop] = True
        yield ~test, test


def tuned_by_definition(x, y):
    """Return tuned ridge with one regression per penalty, inner fold and outer fold."""
    scores = []
    for train, test in splits(len(x)):
        inner_x, inner_y = x[train], y[train]
        centred = inner_y - inner_y.mean(0)
        level = centred.square().sum() / min(centred.shape)
        penalties = [factor * level for factor in TUNING_GRID]
        inner = list(splits(len(inner_x)))
        means = [
            torch.stack([held_out_r2(inner_x, inner_y, *split, penalty) for split in inner]).mean()
            for penalty in penalties
        ]
        best = int(torch.stack(means).argmax())
        scores.append(held_out_r2(x, y, train, test, penalties[best]))
    return torch.stack(scores).mean()


def held_out_pls(x, y):
    """Return the score with one partial least squares regression per fold, by NIPALS."""
    regression = PLSRegression(25, scale=False, max_iter=10_000, tol=1e-16)
    correlations = []
    for train, test in splits(len(x)):
        predicted = regression.fit(y[train], x[train]).predict(y[test])
        correlations.append(
            [np.corrcoef(*pair)[0, 1] for pair in zip(x[test].T.numpy(), predicted.T, strict=True)]
        )
    return np.median(np.mean(correlations, axis=0))


def perturbation(x):
    """Return CPU seconds for all components, before and now, and the difference of the scores."""
    names, n_draws, some = ("cka", "nbs", "procrustes_angular"), 3, [0, 100, 500]
    components = principal_components(x)
    directions = random_directions(components, torch.Generator().manual_seed(0))
    scores = [registry.load(name).against(components.scores) for name in names]

    def one_by_one():
        found = []
        for index in some:
            y = components.scores.clone()
            y[:, index] = directions[:, index] * components.eigenvalues[index].sqrt()
            found.append([score(y).item() for score in scores])
        return torch.tensor(found, dtype=x.dtype)

    before, expected = seconds(one_by_one)
    # Each is replaced by two kinds of directions, and dropped.
    n_scored = len(components.eigenvalues) * (2 * n_draws + 1)
    now, _ = seconds(lambda: perturb_components(x, "", names, range(n_draws)))
    found = perturbed_scores(components, names, directions)
    found = torch.stack([found[name][some] for name in names], 1)
    return before * n_scored / len(some), now, f"{(found - expected).abs().max():.0e}"


def optimization(when, name):
    command = [sys.executable, "-c", OPTIMIZATION, when, name]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def show(what, before, now, difference):
    print(f"| {what} | {before:.2f} | {now:.2f} | {before / now:.1f} | {difference} |", flush=True)


def compare(what, before, now):
    (slow, expected), (fast, found) = seconds(before), seconds(now)
    show(what, slow, fast, f"{abs(float(expected) - float(found)):.0e}")


def main():
    torch.set_num_threads(1)
    print("| work | plain form, CPU s | now, CPU s | ratio | difference |\n|---|---|---|---|---|")
    x, y = correlated_pair(N_SAMPLES, N_NEURONS)
    score = registry.load("ridge_cv_100").against(x)
    one_regression_per_fold(score, y)  # the first call is slower
    compare("`ridge_cv_100`, score", lambda: one_regression_per_fold(score, y), lambda: score(y))
    compare(
        "`ridge_cv_100`, score and gradient",
        lambda: with_gradient(lambda moving: one_regression_per_fold(score, moving), y),
        lambda: with_gradient(score, y),
    )
    plain = registry.load("linreg_cv").against(x)
    compare("`linreg_cv`, score", lambda: one_least_squares_per_fold(plain, y), lambda: plain(y))
    compare(
        "`linreg_cv`, score and gradient",
        lambda: with_gradient(lambda moving: one_least_squares_per_fold(plain, moving), y),
        lambda: with_gradient(plain, y),
    )
    tuned = registry.load("ridge_cv_tuned").against(x)
    compare("`ridge_cv_tuned`, score", lambda: tuned_by_definition(x, y), lambda: tuned(y))
    show("`ridge_cv_tuned`, 1000 permutations at 1080 × 100", *thousand_shuffles(), "–")
    pls = registry.load("pls_cv_pearson_25").against(x)
    compare("`pls_cv_pearson_25`, score", lambda: held_out_pls(x, y), lambda: pls(y))
    show("perturbation of all components", *perturbation(x))
    for name in ("cka", "rsa_correlation_pearson"):
        before, now = optimization("before", name), optimization("now", name)
        show(f"`{name}`, 12 steps of 5 seeds, freed memory kept", before, now, "–")


if __name__ == "__main__":
    main()
