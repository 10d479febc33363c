"""Coverage of intervals in simulated worlds, with NumPy formulas of its own.

`python -m helpers.coverage 160` in the folder tests prints a table of docs/truth.md, with as many
draws from eight populations together.
"""

import itertools
import sys
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import t as student

MEASURES = ["cka", "cka_debiased", "rsa_correlation_pearson", "linreg"]
N_POPULATION = 2000  # neurons
VARIANCES = 1 / np.arange(1, 21)
SHARES = (0.0, 0.3, 0.6, 0.97)
N_POPULATIONS = 8
# Below this share of structure in common there is no interval of the measures of kernels.
LEAST_SHARED = 0.2


@dataclass(frozen=True)
class World:
    """A population of neurons and of conditions, and a model of some units.

    `shared` is the share of latent variance that model and recording have in common; `tails` the
    degrees of freedom of Student's t, if any; `correlation` that of a condition with the next.
    """

    n: int = 72
    n_neurons: int = 60
    units: int = 40
    noise: float = 0.0
    tails: int = 0
    correlation: float = 0.0
    gains: float = 0.0
    shared: float = 0.55

    def populations(self, rng):
        x, own, y, own_y = (
            rng.standard_normal((len(VARIANCES), width))
            for width in (N_POPULATION, N_POPULATION, self.units, self.units)
        )
        gain = np.exp(self.gains * rng.standard_normal(N_POPULATION))
        return x * gain, own * gain, y, own_y

    def draw(self, rng, populations, n, neurons=slice(None), correlation=0.0):
        readout, own, model, own_of_model = populations
        z, of_x, of_y = (self._latents(rng, n, correlation) for _ in range(3))
        both, apart = np.sqrt(self.shared), np.sqrt(1 - self.shared)
        x = both * z @ readout[:, neurons] + apart * of_x @ own[:, neurons]
        x = x + self.noise * np.sqrt(VARIANCES.sum()) * rng.standard_normal(x.shape)
        return x, both * z @ model + apart * of_y @ own_of_model

    def _latents(self, rng, n, correlation):
        z = rng.standard_normal((n, len(VARIANCES)))
        for row in range(1, n if correlation else 0):
            z[row] = correlation * z[row - 1] + np.sqrt(1 - correlation**2) * z[row]
        if self.tails:
            z = z / np.sqrt(rng.chisquare(self.tails, (n, 1)) / (self.tails - 2))
        return z * np.sqrt(VARIANCES)


WORLDS = {
    f"{n} conditions, {p} neurons": World(n, p) for n in (30, 72, 200) for p in (19, 60, 150)
} | {
    "20 conditions, 15 neurons": World(20, 15),
    "72 conditions, 100 neurons": World(n_neurons=100),
    "150 conditions, 10 neurons": World(150, 10),
    "8 conditions, 60 neurons, 5 units": World(8, units=5),
    "72 × 60, 5 units": World(units=5),
    "72 × 60, 60 units": World(units=60),
    "72 × 60, half of the variance noise": World(noise=1.0),
    "72 × 19, half of the variance noise": World(n_neurons=19, noise=1.0),
    "72 × 60, heavy tails (t, 5)": World(tails=5),
    "72 × 60, unequal gains": World(gains=1.0),
    "72 × 60, neighbours correlated at 0.6": World(correlation=0.6),
}


def scores(grams, sums, widths, y):
    """Score recordings given as Gram matrices of raw activity, shape (4, n_recordings)."""
    n = len(y)
    model = y @ y.T
    centred, centred_model = _centred(grams), _centred(model)
    free, free_model = _u_centred(grams), _u_centred(model)
    upper = np.triu_indices(n, 1)
    rdms = _pattern_correlations(grams, sums, widths[:, None, None])[:, upper[0], upper[1]]
    rdm = _pattern_correlations(model, y.sum(1), y.shape[1])[upper]
    rdms, rdm = rdms - rdms.mean(-1, keepdims=True), rdm - rdm.mean()
    basis, values, _ = np.linalg.svd(y - y.mean(0), full_matrices=False)
    basis = basis[:, values > 1e-10 * values[0]]
    fitted = np.einsum("ia,mij,ja->m", basis, centred, basis, optimize=True)
    return np.array(
        [
            _cosine(centred, centred_model),
            _cosine(free, free_model),
            rdms @ rdm / np.sqrt((rdms**2).sum(-1) * (rdm**2).sum()),
            fitted / np.trace(centred, axis1=-2, axis2=-1),
        ]
    )


def _cosine(a, b):
    return (a * b).sum((-1, -2)) / np.sqrt((a * a).sum((-1, -2)) * (b * b).sum((-1, -2)))


def _centred(gram):
    rows = gram.mean(-1)
    return gram - rows[..., :, None] - rows[..., None, :] + gram.mean((-1, -2))[..., None, None]


def _u_centred(gram):
    n = gram.shape[-1]
    off = gram * (1 - np.eye(n))
    rows = off.sum(-1) / (n - 2)
    mean = off.sum((-1, -2))[..., None, None] / ((n - 1) * (n - 2))
    return (off - rows[..., :, None] - rows[..., None, :] + mean) * (1 - np.eye(n))


def _pattern_correlations(gram, sums, width):
    products = gram - sums[..., :, None] * sums[..., None, :] / width
    norms = np.sqrt(np.diagonal(products, axis1=-2, axis2=-1))
    return products / (norms[..., :, None] * norms[..., None, :])


def replicates(x, y, of_condition, of_neuron):
    """Return scores of all, without one group, and without two, for conditions and neurons."""
    g, h = of_condition.max() + 1, of_neuron.max() + 1
    parts = np.array([x[:, of_neuron == group] @ x[:, of_neuron == group].T for group in range(h)])
    sums = np.array([x[:, of_neuron == group].sum(1) for group in range(h)])
    sizes = np.bincount(of_neuron)

    def without(groups, conditions):
        kept = ~np.isin(of_condition, conditions)
        use = [np.delete(np.arange(h), each) for each in groups]
        grams = np.array([parts[each].sum(0)[np.ix_(kept, kept)] for each in use])
        lefts = np.array([sums[each].sum(0)[kept] for each in use])
        return scores(grams, lefts, np.array([sizes[each].sum() for each in use]), y[kept])

    singles = [[], *([group] for group in range(h))]
    pairs = list(itertools.combinations(range(h), 2))
    whole = without([*singles, *map(list, pairs)], [])
    two_neurons = _symmetric(whole[:, 1 + h :], pairs, h)
    rows = np.array([without(singles, [group]) for group in range(g)]).transpose(1, 0, 2)
    pairs = list(itertools.combinations(range(g), 2))
    found = np.array([without([[]], list(pair))[:, 0] for pair in pairs]).T
    two_conditions = _symmetric(found, pairs, g)
    return whole[:, 0], (rows[..., 0], two_conditions), (whole[:, 1 : 1 + h], two_neurons), rows


def _symmetric(values, pairs, size):
    square = np.full((len(values), size, size), np.nan)
    for column, (a, b) in enumerate(pairs):
        square[:, a, b] = square[:, b, a] = values[:, column]
    return square


def shared_among(x):
    """Return the share of ⟨ΣK, ΣK⟩ that is between the U-centred kernels K of different neurons."""
    kernels = np.array([_u_centred(np.outer(column, column)).ravel() for column in x.T])
    products = kernels @ kernels.T
    n = len(products)
    return (1 - np.trace(products) / products.sum()) * n / (n - 1)


def kept(shared, g):
    """Return what the corrections make of √(1 / (1 + r)), the ratio of few neurons to all."""
    r = (1 - shared) / shared
    all_groups, without_one, without_two = (np.sqrt(1 / (1 + r * g / (g - k))) for k in range(3))
    first = g * all_groups - (g - 1) * without_one
    in_replicates = (g - 1) * without_one - (g - 2) * without_two
    return first - (g - 1) / 2 * (in_replicates - first)


def interval(score, conditions, neurons, rows, shared):
    """Return the corrected score of one measure, its interval and its standard error."""
    (c, cc), (d, dd), across = conditions, neurons, rows[:, 1:]
    g, h = len(c), len(d)
    bias = (g - 1) * (c.mean() - score) + (h - 1) * (d.mean() - score)
    of_c = c - (g - 2) * (np.nanmean(cc, 1) - c) - (h - 1) * (across.mean(1) - c)
    of_d = d - (h - 2) * (np.nanmean(dd, 1) - d) - (g - 1) * (across.mean(0) - d)
    left = sum((len(v) - 1) * (v.mean() - score + bias) for v in (of_c, of_d))
    a, b = (g - 1) * of_c.var(), (h - 1) * of_d.var()
    psi = across - c[:, None] - d[None, :] + score
    share = (1 - min(abs(score - bias), 1)) ** 2
    a = max(a - share * of_pairs(score, c, cc), a / 2)
    b = max(b - share * of_pairs(score, d, dd), b / 2)
    total = max(a + b - (g - 1) * (h - 1) * (psi**2).mean(), a, b) + left**2 / 12
    ratio = kept(shared, h)
    centre = (score - bias - left / 2) / ratio
    error = np.hypot(np.sqrt(total) / ratio, centre * (1 - ratio))
    half = student.ppf(0.975, min(g, h) - 2) * error
    return centre, compatible(centre, half), error


def compatible(estimate, half):
    """Return the ends of the scores that are compatible with an estimate, from a grid of scores."""
    grid = np.linspace(-1, 2, 300_001)
    at = np.clip(np.append(grid, estimate), 0, 1)
    variance = (at + 0.1) * (2 - at)
    ok = (estimate - grid) ** 2 <= half**2 * variance[:-1] / variance[-1]
    low, high = (grid[ok][0], grid[ok][-1]) if ok.any() else (estimate, estimate)
    return (min(low, estimate - half) if estimate <= half else low), high


def of_pairs(score, single, two):
    """Return the part of the variance that the jackknife counts twice (Efron and Stein 1981)."""
    g = len(single)
    pairs = itertools.combinations(range(g), 2)
    q = [g * score - (g - 1) * (single[i] + single[j]) + (g - 2) * two[i, j] for i, j in pairs]
    return np.sum(np.square(q)) / g**2


def interval_of_r2(score, conditions, neurons, rows, chance):
    """Return the same for the R² of independent samples, whose bias is known to be linear."""
    (c, _), (d, _), across = conditions, neurons, rows[:, 1:]
    g, h = len(c), len(d)
    bias = (g - 1) * (c.mean() - score) + (h - 1) * (d.mean() - score)
    a, b = (g - 1) * c.var(), (h - 1) * d.var()
    psi = np.array(
        [across[i, (i + s) % h] - c[i] - d[(i + s) % h] for i in range(g) for s in (0, 1)]
    )
    total = max(a + b - (g - 1) * (h - 1) * ((psi + score) ** 2).mean(), a, b)
    error = np.sqrt(total) / (1 - chance)
    half = student.ppf(0.975, min(g, h) - 1) * error
    return score - bias, (score - bias - half, score - bias + half), error


def truth(world, rng, populations, n=3000):
    """Return the scores of the populations."""
    x, y = world.draw(rng, populations, n)
    width = np.array([x.shape[1]])
    found = scores((x @ x.T)[None], x.sum(1)[None], width, y)[:, 0]
    rank = np.linalg.matrix_rank(y - y.mean(0))
    found[3] = 1 - (1 - found[3]) * (n - 1) / (n - 1 - rank)
    return found


def simulate(world, n_draws, seed, n_truth=3000):
    """Return for each draw and measure the error, its standard error, and whether it is covered.

    The last value returned is the share of structure that the neurons of each draw have in common.
    """
    rng = np.random.default_rng(seed)
    populations = world.populations(rng)
    known = truth(world, rng, populations, n_truth)
    errors, standard, covered = np.full((3, n_draws, len(MEASURES)), np.nan)
    in_common = np.empty(n_draws)
    for draw in range(n_draws):
        neurons = rng.choice(N_POPULATION, world.n_neurons, replace=False)
        x, y = world.draw(rng, populations, world.n, neurons, world.correlation)
        groups = [rng.permutation(np.arange(size) % min(10, size)) for size in x.shape]
        score, *parts, rows = replicates(x, y, *groups)
        rank, in_common[draw] = np.linalg.matrix_rank(y - y.mean(0)), shared_among(x)
        for m in range(len(MEASURES)):
            of_one = [(single[m], two[m]) for single, two in parts]
            if m < 3 and in_common[draw] < LEAST_SHARED:
                continue
            if m < 3:
                found = interval(score[m], *of_one, rows[m], in_common[draw])
            elif rank < world.n - 1:
                chance = rank / (world.n - 1)
                found = interval_of_r2(score[m], *of_one, rows[m], chance)
            else:
                continue
            centre, (low, high), standard[draw, m] = found
            errors[draw, m], covered[draw, m] = centre - known[m], low <= known[m] <= high
    return errors, standard, covered, in_common


def main(n_draws):
    heads = ["world", "share in common (median)", "without interval", *MEASURES, "error of CKA"]
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    for number, (name, world) in enumerate(WORLDS.items()):
        rows = [_row(world, shared, n_draws, number) for shared in SHARES]
        cells = (", ".join(cell) for cell in zip(*rows, strict=True))
        print("| " + " | ".join([name, *cells]) + " |", flush=True)


def _row(world, shared, n_draws, number):
    """Return the cells of one share of common variance."""
    world_of_share = replace(world, shared=shared)
    seeds = [(number, int(100 * shared), place) for place in range(N_POPULATIONS)]
    found = [simulate(world_of_share, n_draws // N_POPULATIONS, seed) for seed in seeds]
    errors, _, covered, in_common = (np.concatenate(part) for part in zip(*found, strict=True))
    rates = [each[np.isfinite(each)] for each in covered.T]
    cells = [f"{each.mean():.2f}" if len(each) else "–" for each in rates]
    values = [np.median(in_common), np.mean(in_common < LEAST_SHARED)]
    error = "–" if np.isnan(errors[:, 0]).all() else f"{np.nanmean(errors[:, 0]):+.2f}"
    return [*(f"{value:.2f}" for value in values), *cells, error]


if __name__ == "__main__":
    main(int(sys.argv[1]))
