"""Data that come close to the bounds of what is possible with a reference, or might cross them."""

import numpy as np
import torch

from helpers.measures import draw


def reference(n=30, p=6, decay=0.6):
    x = draw(n, p) * decay ** torch.arange(p)
    return x - x.mean(0)


def adversaries(x):
    """Y of many kinds: random, low rank, rotated, flattened, sharpened, turned out, rescaled."""
    u, s, _ = torch.linalg.svd(x, full_matrices=False)
    p = x.shape[1]
    for seed in range(20):
        yield draw(*x.shape, seed=seed) * (0.2 + seed % 5) ** -torch.arange(p)
        yield x + 0.1 * seed * draw(*x.shape, seed=seed)
        yield u @ draw(p, p, seed=seed)
        mixed = torch.linalg.qr(draw(p, p, seed=seed)).Q
        yield u @ mixed * s
        yield x @ draw(p, 1 + seed % p, seed=seed)
    for power in np.linspace(-4, 6, 20):
        yield u * s**power
        yield u.flip(1) * s**power
    outside = draw(*x.shape, seed=99)
    outside = outside - outside.mean(0)
    outside = torch.linalg.qr(outside - u @ (u.mT @ outside)).Q
    for level in np.geomspace(1e-3, 10, 12):
        for kept in range(1, p):
            yield torch.cat([(u * s)[:, :kept], level * outside[:, kept:]], 1)
            yield torch.cat([level * u[:, :kept], outside[:, kept:]], 1)
