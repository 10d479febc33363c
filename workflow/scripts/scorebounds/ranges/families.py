"""Kinds of Y to start a search from, in reduced coordinates."""

import math
from typing import Any

import torch
from torch import Tensor

from scorebounds.ranges.reduced import Points, ReducedSpace

N_VALUES = 64
# Size of columns that count for regression but hardly for the shape of Y; others have size 1.
FAINT = 1e-5
TILT = 0.1  # radians


def paths(space: ReducedSpace, seed: int, shares: Tensor) -> dict[str, Points]:
    """Return kinds of Y, each a path along which both scores change.

    Parameters
    ----------
    space : ReducedSpace
    seed : int
        Of the random ones.
    shares : Tensor, shape (n,)
        Shares of X's variance to explain, for paths that are made for linear regression.

    Returns
    -------
    dict of str to Points
    """
    return {
        **_low_rank(space),
        **_one_enlarged(space),
        **_turned(space),
        **_explaining(space, shares),
        **_random(space, seed),
    }


def _order(space: ReducedSpace, n: int, first: int = 0, second: int = 1) -> Tensor:
    rest = [index for index in range(space.rank) if index not in (first, second)]
    return torch.tensor([first, second, *rest], device=space.s.device).expand(n, -1)


def _like(space: ReducedSpace) -> dict[str, Any]:
    return {"dtype": space.s.dtype, "device": space.s.device}


def _wide(space: ReducedSpace, values: Tensor) -> Tensor:
    return torch.nn.functional.pad(values, (0, space.width - space.rank))


def _counts(space: ReducedSpace) -> list[int]:
    """Return some numbers from 1 to r, the small ones all."""
    counts = [1]
    while counts[-1] < space.rank:
        counts.append(min(max(counts[-1] + 1, round(1.25 * counts[-1])), space.rank))
    return counts


def _low_rank(space: ReducedSpace) -> dict[str, Points]:
    """Keep X's first components and spread variance evenly outside X: NBS is least there."""
    levels = torch.logspace(-3.5, 1.5, N_VALUES, dtype=space.s.dtype, device=space.s.device)[
        :, None
    ]
    number = torch.arange(space.width, device=space.s.device)
    found = {}
    for count in _counts(space):
        inside = torch.where(number < count, _wide(space, space.s), 0).expand(N_VALUES, -1)
        outside = torch.where(number >= count, space.s[0], 0) * levels
        found[f"first {count} and variance outside X"] = space.diagonal(
            _order(space, N_VALUES), inside, outside
        )
    return found


def _one_enlarged(space: ReducedSpace) -> dict[str, Points]:
    """Enlarge one PC, in a block with the next: where NBS is largest.

    The others are X's, or nearer to each other in size.
    """
    share = torch.linspace(0, 1, N_VALUES, **_like(space))[:, None]
    number = torch.arange(space.width, device=space.s.device)
    found = {}
    for count in _counts(space):
        only = (number == count - 1).to(space.s)
        second = count if count < space.rank else count - 2
        order = _order(space, N_VALUES, count - 1, second)
        for power in (1.0, 0.6):
            flattened = space.s ** (2 * power)
            squared_norms = (1 - share) * _wide(space, flattened / flattened.sum()) + share * only
            found[f"PC {count} enlarged, power {power}"] = _tilted(
                space.diagonal(order, squared_norms.sqrt(), 0 * squared_norms)
            )
    powers = torch.linspace(-3, 8, N_VALUES, **_like(space))[:, None]
    inside = _wide(space, (space.s / space.s[0]) ** powers)
    found["powers of the spectrum"] = space.diagonal(_order(space, N_VALUES), inside, 0 * inside)
    return found


def _tilted(points: Points) -> Points:
    """Turn the two PCs of each block a little: without, that gradient is zero."""
    cosine, sine = math.cos(TILT), math.sin(TILT)
    turn = torch.tensor([[cosine, -sine], [sine, cosine]], device=points.coordinates.device)
    blocks = turn.to(points.coordinates) @ points.coordinates[:, :4].view(-1, 2, 2)
    return points.moved(torch.cat([blocks.flatten(1), points.coordinates[:, 4:]], 1))


def _turned(space: ReducedSpace) -> dict[str, Points]:
    """Turn X's sample vectors out of X, or the first two into each other."""
    angles = torch.linspace(0, math.pi / 2, N_VALUES, dtype=space.s.dtype, device=space.s.device)[
        :, None
    ]
    full, number = _wide(space, space.s), torch.arange(space.width, device=space.s.device)
    order, found = _order(space, N_VALUES), {}
    for count in (1, 2, space.rank):
        angle = torch.where(number < count, angles, 0)
        outside = torch.where(number < space.rank, full, space.s[-1]) * angle.sin()
        found[f"first {count} turned out"] = space.diagonal(order, full * angle.cos(), outside)
    together = space.diagonal(order, full.expand(N_VALUES, -1), 0 * angles * full)
    cosine, sine = angles[:, 0].cos(), angles[:, 0].sin()
    s0, s1 = space.s[0], space.s[1]
    block = torch.stack([s0 * cosine, -s1 * sine, s0 * sine, s1 * cosine], -1)
    coordinates = together.coordinates.clone()
    coordinates[:, :4] = block
    found["first two turned"] = together.moved(coordinates)
    return {**found, **_single(space, angles)}


def _single(space: ReducedSpace, angles: Tensor) -> dict[str, Points]:
    """Turn one direction from PC 1 to another: least NBS with few dimensions outside X."""
    nothing = 0 * angles * _wide(space, space.s)
    found = {}
    for other in {1, space.rank // 2, space.rank - 1} - {0}:
        for outside in (0.0, 0.3, 1.0) if space.n_outside else (0.0,):
            one = space.diagonal(_order(space, N_VALUES, 0, other), nothing, nothing)
            coordinates = one.coordinates.clone()
            coordinates[:, 0], coordinates[:, 2] = angles[:, 0].cos(), angles[:, 0].sin()
            coordinates[:, 5] = outside
            found[f"one direction, PC 1 to {other + 1}, {outside:g}"] = one.moved(coordinates)
    return found


def _explaining(space: ReducedSpace, shares: Tensor) -> dict[str, Points]:
    """Explain a given share of X: by its first PCs, or with one large column that is no PC.

    The first has the largest CKA, the second the least CKA and NBS that linear regression allows.
    """
    shares = shares.clamp(0, 1)[:, None]
    variance, number = space.s.square(), torch.arange(space.rank, device=space.s.device)
    order = _order(space, len(shares), space.rank - 1, 0)
    before = variance.cumsum(0) - variance
    part = ((shares - before) / variance).clamp(0, 1)
    filled = space.s * part, space.s * (part * (1 - part)).sqrt()
    others = 1 - variance[-1]
    of_others = torch.where(number < space.rank - 1, (shares / others).clamp(max=1), 0)
    of_last = torch.where(
        number == space.rank - 1, ((shares - others) / variance[-1]).clamp(min=0), 0
    )
    size = torch.where(number == space.rank - 1, 1.0, FAINT)
    part = of_others + of_last
    alone = size * part.sqrt(), size * (1 - part).sqrt()
    return {
        name: space.diagonal(order, *(_wide(space, each) for each in sides))
        for name, sides in (("filled by first PCs", filled), ("one column alone", alone))
    }


def _random(space: ReducedSpace, seed: int) -> dict[str, Points]:
    generator = torch.Generator().manual_seed(seed)
    start = space.diagonal(
        _order(space, 1), _wide(space, space.s)[None], _wide(space, 0 * space.s)[None]
    )
    share = torch.linspace(0, 1, N_VALUES, **_like(space))[:, None]
    found = {}
    for draw in (1, 2):
        drawn = torch.randn(start.coordinates.shape, generator=generator, dtype=space.s.dtype)
        there = drawn.to(space.s) * space.free(start.order)
        way = share * there / there.norm() + (1 - share) * start.coordinates
        found[f"random {draw}"] = Points(start.order.expand(N_VALUES, -1), way)
    return found
