"""Error rates of score cards in simulated worlds.

In the folder tests, `python -m helpers.rates 400` prints a table of docs/truth.md.
"""

import sys
from collections import Counter
from dataclasses import replace

import numpy as np

from helpers.worlds import card_of, latents, matched_pair, population, unrelated
from scorebounds.scorecards.repeats import with_equal_rows
from scorebounds.scorecards.rows import CONDITIONS, TIMES
from scorebounds.scorecards.verdicts import ABOVE_CHANCE, WITHOUT_VERDICT

MEASURES = ["cka", "nbs", "linreg", "ridge_cv_100", "rsa_correlation_pearson", "mutual_knn_5"]
# The smallest p that they allow is 0.05, so that no error is lost to rounding.
N_PERMUTATIONS = 19
N, NEURONS, UNITS = 30, 12, 8


def narrow(rng):
    return matched_pair(*unrelated(rng, N, NEURONS, UNITS))


def wide(rng):
    return matched_pair(*unrelated(rng, N, NEURONS, 60))


def few_conditions(rng):
    return matched_pair(*unrelated(rng, 6, NEURONS, 3))


def repeats(rng):
    x, y = unrelated(rng, N, NEURONS, UNITS)
    condition = np.repeat(np.arange(N), 3)
    return matched_pair(x[condition] + rng.standard_normal((3 * N, NEURONS)), y, condition)


def repeats_in_rows(rng):
    """The same without a word on which rows are repeats: the model is equal in them."""
    x, y = unrelated(rng, N, NEURONS, UNITS)
    condition = np.tile(np.arange(N), 3)
    return matched_pair(x[condition] + rng.standard_normal((3 * N, NEURONS)), y[condition])


def one_class_twice(rng):
    """Half of the conditions look alike to the model."""
    x, y = unrelated(rng, N, NEURONS, UNITS)
    return matched_pair(x, y[np.arange(N) // 2 * 2])


def three_classes(rng):
    x, _ = unrelated(rng, N, NEURONS, 1)
    return matched_pair(x, np.eye(3)[rng.integers(3, size=N)] + 0.01 * rng.standard_normal((N, 3)))


def time_axis(rng):
    """All conditions share a time course, in the recording and in the model."""
    course = np.sin(np.linspace(0, 3, 4))[:, None, None]
    sides = unrelated(rng, N, NEURONS, UNITS)
    patterns = unrelated(rng, 1, NEURONS, UNITS)
    return matched_pair(*(0.3 * s + course * p for s, p in zip(sides, patterns, strict=True)))


def runs(rng):
    """Conditions of a run resemble each other, in both."""
    run = np.repeat(np.arange(6), 6)
    sides = unrelated(rng, 36, NEURONS, UNITS)
    x, y = (s + 2 * rng.standard_normal((6, s.shape[1]))[run] for s in sides)
    return replace(matched_pair(x, y), groups=run, rows_are=CONDITIONS)


def courses(rng, n, correlation, rows_are, n_groups=1):
    """Rows follow each other in time; each is correlated with the next, or is a random walk."""
    sides = []
    for width in (NEURONS, UNITS):
        steps = latents(rng, n)
        for row in range(1, n):
            if row % (n // n_groups):
                share = np.sqrt(1 - correlation**2) if correlation < 1 else 1
                steps[row] = correlation * steps[row - 1] + share * steps[row]
        sides.append(population(rng, n, width, steps))
    groups = np.arange(n) * n_groups // n if n_groups > 1 else None
    return replace(matched_pair(*sides), rows_are=rows_are, groups=groups)


def drifts(rng, share=0.2):
    """Both drift over the rows, each in a direction of its own, and are independent otherwise."""
    trend = np.linspace(-1, 1, 60)[:, None] * np.sqrt(3 * share)
    sides = unrelated(rng, 60, NEURONS, UNITS)
    return matched_pair(
        *(s / s.std() * np.sqrt(1 - share) + trend * rng.standard_normal(s.shape[1]) for s in sides)
    )


def single_precision(rng):
    x = population(rng, N, NEURONS)
    y = rng.standard_normal((N, 4)) @ rng.standard_normal((4, 60))
    return matched_pair(x, y.astype(np.float32).astype(float))


def silent_units(rng):
    """Most units respond to one condition only."""
    x, y = unrelated(rng, N, NEURONS, UNITS)
    for side in (x, y):
        for unit in range(3, side.shape[1]):
            side[np.arange(N) != rng.integers(N), unit] = 0
    return matched_pair(x, y)


def outlier(rng):
    """One condition is far from the others in both, but not the same one."""
    x, y = unrelated(rng, N, NEURONS, UNITS)
    x[rng.integers(N)] *= 30
    y[rng.integers(N)] *= 30
    return matched_pair(x, y)


UNRELATED = {
    "fewer units than rows": narrow,
    "more units than rows": wide,
    "six conditions": few_conditions,
    "repeats of conditions": repeats,
    "repeats of conditions, nothing said of them": repeats_in_rows,
    "half of the conditions alike to the model": one_class_twice,
    "model of three classes": three_classes,
    "axis of time, shared time course": time_axis,
    "runs, held out as groups": runs,
    "rows are times, correlated at 0.6": lambda rng: courses(rng, 80, 0.6, TIMES),
    "rows correlated at 0.4, nothing said of them": lambda rng: courses(rng, 60, 0.4, ""),
    "rows correlated at 0.8, nothing said of them": lambda rng: courses(rng, 80, 0.8, ""),
    "a slow drift of both": drifts,
    "two random walks": lambda rng: courses(rng, 60, 1.0, ""),
    "runs of correlated rows": lambda rng: courses(rng, 80, 0.5, "", n_groups=4),
    "rank 4 in single precision": single_precision,
    "units that respond to one condition": silent_units,
    "an outlying condition in both": outlier,
}


def partial(rng):
    z = latents(rng, 60)
    return matched_pair(population(rng, 60, NEURONS, z), population(rng, 60, UNITS, z))


def weak(rng):
    z = latents(rng, 60)
    x = population(rng, 60, NEURONS, z) + 2 * rng.standard_normal((60, NEURONS))
    return matched_pair(x, z[:, :3] + rng.standard_normal((60, 3)))


def related_courses(rng):
    z = courses(rng, 120, 0.6, "").reference[0]
    return replace(matched_pair(z, z @ rng.standard_normal((NEURONS, UNITS))), rows_are=TIMES)


RELATED = {
    "the same latents, other neurons": partial,
    "three latents, noisy": weak,
    "the same time course": related_courses,
}


def cards_of(world, n, seed):
    """Return the cards of n draws of a world."""
    rng = np.random.default_rng(seed)
    return [_card(world(rng), draw) for draw in range(n)]


def _card(matched, seed):
    # Intervals take most of the time: with one group to leave out there are none.
    n_groups = 2 if with_equal_rows(matched).has_trials else 1
    return card_of(matched, MEASURES, seed, N_PERMUTATIONS, n_groups=n_groups)


def counts(cards):
    """Count cards with any measure better than chance or perfect, and those without a verdict."""
    found = Counter()
    for card in cards:
        found["better"] += card.verdict.isin(ABOVE_CHANCE).any()
        found["perfect"] += card.is_perfect.any()
        found["none"] += card.verdict.isin(WITHOUT_VERDICT).all()
    return found


def main(n):
    print("| world | better than chance by any measure | perfect | no verdict |\n|---|---|---|---|")
    for number, (name, world) in enumerate((UNRELATED | RELATED).items()):
        found = counts(cards_of(world, n, number))
        cells = (f"{found[key] / n:.1%}" for key in ("better", "perfect", "none"))
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
