"""Coverage of intervals of held-out scores, with NumPy formulas of its own.

`python -m helpers.held_out 120` in the folder tests prints a table of docs/truth.md.
"""

import sys
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from helpers.coverage import N_POPULATION, VARIANCES, World

MEASURES = ["ridge_cv_100", "linreg_cv", "ridge_cv_tuned"]
SHARES = (0.0, 0.55, 0.97)
GRID = 10.0 ** np.arange(-6, 3)


@dataclass(frozen=True)
class TimedWorld(World):
    """Conditions at several times; `runs` of conditions share half of the variance."""

    times: int = 1
    runs: int = 0

    def samples(self, rng, populations):
        """Return a recording and a model, (n_times, n, width), and the run of each condition."""
        neurons = rng.choice(N_POPULATION, self.n_neurons, replace=False)
        readout, own, model, own_of_model = populations
        run = np.arange(self.n) * self.runs // self.n if self.runs else None
        z, of_x, of_y = (self._courses(rng, run) for _ in range(3))
        both, apart = np.sqrt(self.shared), np.sqrt(1 - self.shared)
        x = both * z @ readout[:, neurons] + apart * of_x @ own[:, neurons]
        x = x + self.noise * np.sqrt(VARIANCES.sum()) * rng.standard_normal(x.shape)
        y = both * z @ model + apart * of_y @ own_of_model
        # A fixed penalty presupposes a unit of the model.
        return x, y / np.sqrt(np.mean((y - y.mean((0, 1))) ** 2)), run

    def _courses(self, rng, run):
        base = self._latents(rng, self.n, 0)
        if run is not None:
            base = np.sqrt(0.5) * (base + self._latents(rng, self.runs, 0)[run])
        if self.times == 1:
            return base[None]
        own = [self._latents(rng, self.n, 0) for _ in range(self.times)]
        return np.array([np.sqrt(0.6) * base + np.sqrt(0.4) * each for each in own])


WORLDS = {
    "72 × 19, 20": TimedWorld(72, 19, 20),
    "72 × 60, 40": TimedWorld(72, 60, 40),
    "72 × 60, 5, half of the variance noise": TimedWorld(72, 60, 5, noise=1.0),
    "72 × 100, 5": TimedWorld(72, 100, 5),
    "48 × 30 at three times, 10": TimedWorld(48, 30, 10, times=3),
    "20 × 15, 4": TimedWorld(20, 15, 4),
    "30 × 60, 10": TimedWorld(30, 60, 10),
    "72 × 60, 20, heavy tails (Student, 5)": TimedWorld(72, 60, 20, tails=5),
    "72 × 60, 20, unequal gains": TimedWorld(72, 60, 20, gains=1.0),
    "72 × 60, 100": TimedWorld(72, 60, 100),
    "80 in 16 runs × 40, 10": TimedWorld(80, 40, 10, runs=16),
    "80 in 8 runs × 40, 10": TimedWorld(80, 40, 10, runs=8),
    "300 × 60, 40": TimedWorld(300, 60, 40),
}


def folds_of(n, groups=None, k=5):
    """Return the fold of each sample: of neighbours, or of whole groups (GroupKFold)."""
    if groups is None:
        return np.repeat(np.arange(k), [len(part) for part in np.array_split(np.arange(n), k)])
    number = np.unique(groups, return_inverse=True)[1]
    sizes = np.bincount(number)
    filled, fold = np.zeros(min(k, len(sizes)), int), np.empty(len(sizes), int)
    for group in np.argsort(sizes, kind="stable")[::-1]:
        fold[group] = filled.argmin()
        filled[fold[group]] += sizes[group]
    return fold[number]


def scores(x, y, fold, inner_of, masks):
    """Return the scores of several choices of neurons, (3, n_masks)."""
    found = []
    for number in np.unique(fold):
        train, test = np.flatnonzero(fold != number), fold == number
        a, b = x[train] - x[train].mean(0), y[train] - y[train].mean(0)
        held_x, held_y = x[test] - x[train].mean(0), y[test] - y[train].mean(0)
        u, s, v = np.linalg.svd(b, full_matrices=False)
        u, s, v = u[:, s > 1e-9 * s[0]], s[s > 1e-9 * s[0]], v[s > 1e-9 * s[0]]
        level = (b**2).sum() / min(b.shape)
        penalties = np.concatenate([[100.0, 0.0], level * GRID])
        weights = s / (s**2 + penalties[:, None])
        predicted = ((held_y @ v.T) * weights[:, None]) @ (u.T @ a)
        errors = ((held_x - predicted) ** 2).sum(1) @ masks.T
        best = inner_losses(a, u, s, level * GRID, inner_of(train), masks).argmin(0)
        chosen = errors[2 + best, np.arange(len(masks))]
        found.append(1 - np.array([*errors[:2], chosen]) / ((held_x**2).sum(0) @ masks.T))
    return np.mean(found, 0)


def inner_losses(a, u, s, penalties, inner, masks):
    """Return the held-out error of each penalty, relative to the size of the inner folds."""
    n, losses = len(a), np.zeros((len(penalties), len(masks)))
    shrunk = s**2 / (s**2 + penalties[:, None])
    for number in np.unique(inner):
        rows = inner == number
        hat = 1 / n + (u[rows] * shrunk[:, None]) @ u[rows].T
        residual = a[rows] - (u[rows] * shrunk[:, None]) @ (u.T @ a)
        errors = (np.linalg.solve(np.eye(rows.sum()) - hat, residual) ** 2).sum(1)
        size = ((a[rows] + a[rows].sum(0) / (n - rows.sum())) ** 2).sum(0)
        losses += (errors @ masks.T) / (masks @ size)
    return losses


def score_of(world, x, y, run):
    """Return the scores of all conditions and neurons, (3,)."""
    groups = np.arange(world.n) if run is None else run
    grouped = world.times > 1 or run is not None
    groups = np.tile(groups, world.times)

    def inner(train):
        return folds_of(len(train), groups[train] if grouped else None)

    fold = folds_of(len(groups), groups if grouped else None)
    flat = (side.reshape(-1, side.shape[-1]) for side in (x, y))
    return scores(*flat, fold, inner, np.ones((1, x.shape[-1])))[:, 0]


def parts_of(world, fold, run, rng):
    """Return the group of each condition, of equal shares of all folds where there are no runs."""
    n = world.n
    if run is not None:
        return rng.permutation(np.arange(world.runs) % min(10, world.runs))[run]
    shuffled, part = rng.permutation(n), np.empty(n, int)
    part[shuffled[np.argsort(fold[shuffled], kind="stable")]] = np.arange(n) % min(10, n)
    return part


def replicates(world, x, y, run, rng):
    """Return scores of all, of each group repeated, and of each with the next, and the weight.

    The last axis is all neurons, and all but one group of them. The weight of the group is 2, or 0
    where groups would be most of a fold.
    """
    grouped = world.times > 1 or run is not None
    groups = np.arange(world.n) if run is None else run
    fold = folds_of(world.n, groups if grouped else None)
    part = parts_of(world, fold, run, rng)
    g, p = part.max() + 1, x.shape[-1]
    of_neuron = rng.permutation(np.arange(p) % min(10, p))
    masks = np.array([of_neuron >= 0, *(of_neuron != i for i in range(of_neuron.max() + 1))])
    counts = np.array([[np.sum((part == i) & (fold == f)) for f in range(5)] for i in range(g)])
    weight = 2 if (counts / counts.sum(0)).max(1).mean() <= 0.4 else 0

    def score(*chosen):
        kept = np.repeat(np.arange(world.n), np.where(np.isin(part, chosen), weight, 1))
        of_sample = np.tile(fold[kept], world.times)
        flat = (side[:, kept].reshape(-1, side.shape[-1]) for side in (x, y))
        return scores(*flat, of_sample, lambda train: of_sample[train], masks * 1.0)

    single = np.array([score(i) for i in range(g)])
    two = np.array([score(i, (i + 1) % g)[:, 0] for i in range(g)]) if weight else None
    return score(), single, two, weight


def half_width(whole, single, two, weight):
    """Return half the 95 % interval of one measure, and its standard error."""
    g, h = len(single), len(whole) - 1
    # One of g groups that counts `weight` times moves a mean by this share of the group's part.
    scale = (g - 1 + weight) / (weight - 1)
    moved = scale * (single[:, 0] - whole[0])
    variance = moved.var() / (g - 1)
    if weight:
        q = (g + 2) * (two - whole[0]) - (g + 1) * (
            single[:, 0] + np.roll(single[:, 0], -1) - 2 * whole[0]
        )
        of_pairs = (g - 1) / (2 * g) * np.mean((q * (g + 2) / (g - 2)) ** 2)
        variance -= min(of_pairs**3 / variance**2, variance / 2)
    of_neurons = (h - 1) * whole[1:].var()
    at = [(i, (i + s) % h) for i in range(g) for s in (0, 1)]
    psi = [single[i, 1 + d] - single[i, 0] - whole[1 + d] + whole[0] for i, d in at]
    interaction = (h - 1) / (g - 1) * scale**2 * np.mean(np.square(psi))
    total = max(variance + of_neurons - interaction, variance, of_neurons)
    n_free = min(g, h) - (2 if weight else 1)
    return student.ppf(0.975, n_free) * np.sqrt(total), np.sqrt(total)


def ends_of_tuned(score, half):
    """Return an interval whose upper end allows for more variance of higher scores, from a grid."""
    grid = np.linspace(score, score + 20 * half, 20_001)
    at = np.clip(np.append(grid, score), 0, 1)
    variance = (at + 0.01) * (2 - at)
    ok = (grid - score) ** 2 <= half**2 * variance[:-1] / variance[-1]
    return score - half, min(grid[ok][-1], score + 1.5 * half)


def intervals(drawn, half, n):
    """Return the intervals of scores of the three measures, (2, n_draws, 3), of n conditions."""
    wider = 1.1 * half
    ends = np.array([drawn - wider, drawn + wider])
    of_tuned = zip(drawn[:, 2], np.sqrt((1.2 * half[:, 2]) ** 2 + 0.17**2 / n), strict=True)
    ends[..., 2] = np.transpose([ends_of_tuned(*each) for each in of_tuned])
    return ends


def simulate(world, n_draws, n_truth, seed):
    """Return the mean and standard deviation of scores, and scores, half-widths and errors."""
    rng = np.random.default_rng(seed)
    populations = world.populations(rng)
    known = np.array([score_of(world, *world.samples(rng, populations)) for _ in range(n_truth)])
    drawn, half, error = np.empty((3, n_draws, len(MEASURES)))
    for draw in range(n_draws):
        x, y, run = world.samples(rng, populations)
        drawn[draw] = score_of(world, x, y, run)
        whole, single, two, weight = replicates(world, x, y, run, rng)
        for m in range(len(MEASURES)):
            of_two = None if two is None else two[:, m]
            half[draw, m], error[draw, m] = half_width(whole[m], single[:, m], of_two, weight)
    return known.mean(0), known.std(0), drawn, half, error


def main(n_draws):
    heads = [f"{name}: {what}" for name in MEASURES for what in ("coverage", "width")]
    print(f"| {' | '.join(['conditions × neurons, units', *heads])} |")
    print("|---" * (1 + len(heads)) + "|")
    for number, (name, world) in enumerate(WORLDS.items()):
        cells = [[] for _ in heads]
        for shared in SHARES:
            world_of_share = TimedWorld(**{**vars(world), "shared": shared})
            seed = 100 * number + int(100 * shared)
            mean, sd, drawn, half, _ = simulate(world_of_share, n_draws, 3 * n_draws, seed)
            low, high = intervals(drawn, half, world.n)
            covered = ((low <= mean) & (mean <= high)).mean(0)
            width = (high - low).mean(0) / 2 / 1.96 / sd
            for m in range(len(MEASURES)):
                cells[2 * m].append(f"{covered[m]:.2f}")
                cells[2 * m + 1].append(f"{width[m]:.1f}")
        print(f"| {name} | " + " | ".join(", ".join(cell) for cell in cells) + " |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
