"""Small data with a known spectrum, and ranges of scores on it."""

import functools

import torch

from helpers.measures import draw
from scorebounds.ranges.region import pair_range

EFFORT = {"n_starts": 4, "n_rounds": 8, "n_steps": 12, "n_passes": 1}
SETTINGS = {
    "reference_level": 0.9,
    "n_kept": 5,
    "certificate": {"tolerance": 0.1, "n_values": 3},
    "joint": {"x": "fixed", "n_targets": 16, "max_steps": 40, "learning_rate": 0.1},
    "reduced": {"n_grid": 11, **EFFORT},
    "full": {"n_grid": 11, "n_starts": 1, "n_rounds": 1, "n_steps": 2, "n_passes": 0},
}


def with_spectrum(shares, n=24):
    """Return data whose components have these shares of the variance."""
    basis = draw(n, len(shares))
    basis = torch.linalg.qr(basis - basis.mean(0)).Q
    return basis * torch.tensor(shares, dtype=torch.float64).sqrt()


def ranges(x, a, b):
    """Return the range of a pair of measures, searched once for all tests: not to be changed."""
    return searched_once(x.numpy().tobytes(), tuple(x.shape), (a, b))


@functools.cache
def searched_once(data, shape, pair):
    x = torch.frombuffer(bytearray(data), dtype=torch.float64).reshape(shape)
    return pair_range(x, pair, "test", seed=0, settings=SETTINGS)
