"""Data that attain values near the ends of NBS and CKA, built from what the Lagrangian suggests."""

from collections.abc import Iterator

import numpy as np
import torch

from scorebounds.ranges.certificate_lower import LowerDual
from scorebounds.ranges.certificate_upper import UpperDual
from scorebounds.ranges.reach_lower import reach_lower
from scorebounds.ranges.reach_upper import matrix_of, reach_upper
from scorebounds.ranges.reduced import Points, ReducedSpace

# Shares of the trace that are moved out of X, and of X that are mixed in, to meet a goal.
MIXED = np.concatenate([np.linspace(1, 0.05, 8), [0.01, 0]])
# Factors of what Y keeps of X.
FACTORS = np.concatenate([[0], np.geomspace(0.3, 3, 31)])
# Numbers of kept components that are tried where few directions are outside X.
N_RANKS = 5


def constructed_paths(
    space: ReducedSpace, ckas: np.ndarray, *, largest_nbs: bool
) -> dict[str, Points]:
    """Return kinds of Y with nearly the largest or smallest NBS for each CKA, each a path.

    Parameters
    ----------
    space : ReducedSpace
    ckas : ndarray, shape (n,)
    largest_nbs : bool
    """
    spectrum = space.s.square().cpu().numpy()
    found = {}
    for cka in ckas[(ckas > 0) & (ckas < 1)]:
        if largest_nbs:
            problem = UpperDual(spectrum, float(cka), outside=space.n_outside > 0)
            found[f"largest NBS at {cka:.3g}"] = _largest(space, problem)
        else:
            for number, dual in enumerate(_lower_duals(space, spectrum, float(cka))):
                found[f"smallest NBS at {cka:.3g}, {number}"] = _smallest(space, dual)
    return found


def _largest(space: ReducedSpace, dual: UpperDual) -> Points:
    """Return a path from X over the Y that was found to one direction outside X."""
    diagonal, (first, second), block = matrix_of(dual, reach_upper(dual))
    r, q = space.rank, space.width
    inside, outside = np.zeros(q), np.zeros(q)
    inside[:r] = np.sqrt(diagonal[:r])
    # The direction outside X has a column of its own, or shares that of X's last component.
    alone = q > r and space.n_outside > r
    column = r if alone else _last_other(r, first, second)
    if len(diagonal) > r:
        outside[first if second == r else column] = np.sqrt(diagonal[r])
    partner = second if 0 <= second < r else next(k for k in range(r) if k != first)
    rest = [k for k in range(r - 1, -1, -1) if k not in (first, partner)]
    x = np.pad(space.s.cpu().numpy(), (0, q - r))
    share = MIXED[:, None]
    mixed_out = np.sqrt(1 - share) * outside
    mixed_out[:, column] = np.sqrt((1 - share[:, 0]) * outside[column] ** 2 + share[:, 0])
    all_inside = np.concatenate(
        [share * x + (1 - share) * inside, (np.sqrt(1 - share) * inside)[::-1]]
    )
    all_outside = np.concatenate([(1 - share) * outside, mixed_out[::-1]])
    points = _points(space, [first, partner, *rest], all_inside, all_outside)
    if second < 0 or second >= r:
        return points
    pair = [first, second]
    turned = np.concatenate(
        [
            share[:, :, None] * np.diag(x[pair]) + (1 - share[:, :, None]) * block,
            (np.sqrt(1 - share[:, :, None]) * block)[::-1],
        ]
    )
    coordinates = points.coordinates.clone()
    coordinates[:, :4] = torch.from_numpy(turned.reshape(-1, 4)).to(coordinates)
    return points.moved(coordinates)


def _last_other(r: int, first: int, second: int) -> int:
    """Return the last component that is not in the pair, or the last one."""
    return next((k for k in range(r - 1, -1, -1) if k not in (first, second)), r - 1)


def _lower_duals(space: ReducedSpace, spectrum: np.ndarray, cka: float) -> Iterator[LowerDual]:
    """Yield problems whose solutions have no more directions outside X than there are."""
    r, norm = space.rank, float(np.linalg.norm(spectrum))
    if space.n_outside >= space.width - 1:
        yield LowerDual(spectrum, cka, space.width)
        return
    most = max(1, r - space.n_outside)
    kept = np.unique(np.round(np.geomspace(1, most, N_RANKS)).astype(int))
    for number in kept:
        rank = min(space.n_outside + int(number), space.width)
        yield LowerDual(spectrum[: min(rank, r)], cka, rank, norm=norm)


def _smallest(space: ReducedSpace, dual: LowerDual) -> Points:
    """Return a path on which the part that Y keeps of X grows."""
    found = reach_lower(dual)
    r, q = space.rank, space.width
    level = np.zeros(q)
    level[: dual.rank] = np.repeat(found.level, dual.count.astype(int))
    is_kept = np.arange(q) < found.n_kept
    inside = FACTORS[:, None] * np.where(is_kept, np.sqrt(level), 0)
    outside = np.repeat(np.where(is_kept, 0, np.sqrt(level))[None], len(FACTORS), 0)
    last = min(found.n_kept, r)
    order = [*range(max(last - 1, 0), r), *range(max(last - 1, 0))]
    return _points(space, order, inside, outside)


def _points(
    space: ReducedSpace, order: list[int], inside: np.ndarray, outside: np.ndarray
) -> Points:
    numbers = torch.tensor(order, device=space.s.device).expand(len(inside), -1)
    sides = (torch.from_numpy(side).to(space.s) for side in (inside, outside))
    return space.diagonal(numbers, *sides)
