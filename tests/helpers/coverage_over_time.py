"""Coverage of intervals of recordings with times, with scores and intervals of the library.

`python -m helpers.coverage_over_time 48` in the folder tests prints a table of docs/truth.md, with
as many draws from eight populations together. The scores of populations have NumPy formulas.
"""

import sys
from dataclasses import dataclass, replace

import numpy as np
import torch

from helpers.coverage import LEAST_SHARED, MEASURES, N_POPULATIONS
from helpers.worlds import matched_pair
from scorebounds.measures import registry
from scorebounds.measures.sampled import shared_among_neurons
from scorebounds.scorecards.replicates import jackknife_replicates
from scorebounds.scorecards.samples import flatten
from scorebounds.scorecards.score_intervals import score_interval

OF_KERNELS = MEASURES[:3]
N_POPULATION, N_TRUE_CONDITIONS = 1500, 1500
VARIANCES = 1 / np.arange(1, 13)
SHARES = (0.15, 0.4, 0.8)


@dataclass(frozen=True)
class TimedWorld:
    """Conditions with smooth latents, a time course of each neuron, and a model of 50 units.

    `shared` is the share of latent variance in common, `course` the size of the time course that
    all conditions have, `noise` that of independent noise, and `gains` the spread of the logarithm
    of the neurons' gains.
    """

    n: int = 72
    n_neurons: int = 19
    n_times: int = 15
    noise: float = 0.5
    gains: float = 0.8
    course: float = 0.3
    shared: float = 0.4
    units: int = 50

    def populations(self, rng):
        gain = np.exp(self.gains * rng.standard_normal(N_POPULATION))
        readout, own, model, own_of_model = (
            rng.standard_normal((len(VARIANCES), width))
            for width in (N_POPULATION, N_POPULATION, self.units, self.units)
        )
        course, course_of_model = (self._courses(rng, w) for w in (N_POPULATION, self.units))
        return readout * gain, own * gain, model, own_of_model, course * gain, course_of_model

    def _courses(self, rng, width):
        time = np.linspace(0, 1, self.n_times)
        return np.sin(np.outer(time, rng.uniform(1, 6, width)) + rng.uniform(0, 6, width))

    def _latents(self, rng, n):
        time = np.linspace(0, 1, self.n_times)[:, None, None]
        a, b, c = rng.standard_normal((3, n, len(VARIANCES)))
        return (0.3 * a + b * time + 0.5 * c * np.sin(3 * time)) * np.sqrt(VARIANCES)

    def draw(self, rng, populations, n, neurons=slice(None), *, noise=True):
        readout, own, model, own_of_model, course, course_of_model = populations
        z, of_x, of_y = (self._latents(rng, n) for _ in range(3))
        both, apart = np.sqrt(self.shared), np.sqrt(1 - self.shared)
        x = both * z @ readout[:, neurons] + apart * of_x @ own[:, neurons]
        x = x + self.course * course[:, None, neurons]
        y = both * z @ model + apart * of_y @ own_of_model + self.course * course_of_model[:, None]
        return x + noise * self.noise * rng.standard_normal(x.shape), y


def truth(world, rng, populations):
    """Return the scores of the populations without noise."""
    x, y = (flat(side) for side in world.draw(rng, populations, N_TRUE_CONDITIONS, noise=False))
    x, y = x - x.mean(0), y - y.mean(0)
    norms = np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)
    cka = np.linalg.norm(x.T @ y) ** 2 / norms
    # Of many conditions, few pairs of rows are of the same one, and these have much in common.
    condition = np.tile(np.arange(150), world.n_times)
    between = condition[:, None] < condition
    found = []
    for _ in range(3):
        sides = (flat(side) for side in world.draw(rng, populations, 150, noise=False))
        rdms = [np.corrcoef(side)[between] for side in sides]
        found.append(np.corrcoef(*rdms)[0, 1])
    return np.array([cka, cka, np.mean(found)])


def flat(activity):
    return activity.reshape(-1, activity.shape[-1])


def simulate(world, n_draws, seed):
    """Return for each draw and measure the error and whether it is covered, and the shares."""
    rng = np.random.default_rng(seed)
    populations = world.populations(rng)
    known = truth(world, rng, populations)
    errors, covered = np.full((2, n_draws, len(OF_KERNELS)), np.nan)
    in_common = np.empty(n_draws)
    for draw in range(n_draws):
        neurons = rng.choice(N_POPULATION, world.n_neurons, replace=False)
        matched = matched_pair(*world.draw(rng, populations, world.n, neurons))
        x, y = flatten(matched.reference), flatten(matched.model)
        in_common[draw] = shared_among_neurons(x)
        for m, name in enumerate(OF_KERNELS):
            measure = registry.load(name)
            scored = {"score": measure.score(x, y).item(), "is_informative": True}
            scored |= {"null_mean": 0.0, "shared_among_neurons": in_common[draw]}
            left_out = jackknife_replicates(matched, measure, n_groups=10, seed=draw, pairs=True)
            found = score_interval(scored, left_out, measure, world.n_times)
            if found["interval_note"]:
                continue
            errors[draw, m] = found["score_corrected"] - known[m]
            covered[draw, m] = found["score_low"] <= known[m] <= found["score_high"]
    return errors, covered, in_common


WORLDS = {
    "72 × 19 at 15 times": TimedWorld(),
    "72 × 19 at 4 times": TimedWorld(n_times=4),
    "72 × 60 at 15 times, more noise": TimedWorld(n_neurons=60, noise=1.0),
    "30 × 40 at 8 times": TimedWorld(30, 40, 8),
}


def main(n_draws):
    heads = ["conditions × neurons", "share in common (median)", "without interval", *OF_KERNELS]
    print("| " + " | ".join([*heads, "error of CKA"]) + " |\n" + "|---" * (1 + len(heads)) + "|")
    for number, (name, world) in enumerate(WORLDS.items()):
        rows = [_row(world, shared, n_draws, number) for shared in SHARES]
        cells = (", ".join(cell) for cell in zip(*rows, strict=True))
        print("| " + " | ".join([name, *cells]) + " |", flush=True)


def _row(world, shared, n_draws, number):
    """Return the cells of one share of common variance."""
    seeds = [(number, int(100 * shared), place) for place in range(N_POPULATIONS)]
    of_share = replace(world, shared=shared)
    found = [simulate(of_share, n_draws // N_POPULATIONS, seed) for seed in seeds]
    errors, covered, in_common = (np.concatenate(part) for part in zip(*found, strict=True))
    rates = [f"{np.nanmean(column):.2f}" for column in covered.T]
    shares = [f"{np.median(in_common):.2f}", f"{np.mean(in_common < LEAST_SHARED):.2f}"]
    return [*shares, *rates, f"{np.nanmean(errors[:, 0]):+.2f}"]


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(int(sys.argv[1]))
