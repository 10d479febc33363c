"""Method 1 with X free: both datasets move, as in the code of Cloos et al. 2025."""

import re
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from scorebounds.measures import registry
from scorebounds.measures.folds import fold_bounds
from scorebounds.measures.pair import Pair, Reference
from scorebounds.ranges.bounds import base_of
from scorebounds.ranges.joint import Scorer, to_measure_scale

ScoreOfBoth = Callable[[Tensor, Tensor], Tensor]

# Not symmetric, but each is the other with X and Y exchanged.
MIRRORED = {"linreg": "linreg_reverse", "linreg_reverse": "linreg"}
_RIDGE = r"ridge_(cv_)?(\d+(?:\.\d+)?)"


def require_gradient_in_x(names: Sequence[str]) -> None:
    """Raise ValueError unless the score of each measure can be differentiated in X as well."""
    for name in names:
        if differentiable_in_x(base_of(name)) is None:
            raise ValueError(
                f"joint optimisation with X free needs a gradient in X, and {name!r} has none: it "
                "is not symmetric, and no measure is its mirror image; set ranges → joint → x to "
                "fixed or leave the pair out"
            )


def differentiable_in_x(name: str) -> ScoreOfBoth | None:
    """Return the score as a function of X and Y that has a gradient in X, or None.

    Measures have theirs in Y. With X and Y exchanged it is the one in X, of a symmetric measure by
    itself and of linear regression by its mirror image. Ridge regression is quadratic in X.
    """
    measure = registry.load(name)
    mirror = name if measure.symmetric else MIRRORED.get(name)
    if mirror is not None:
        exchanged = registry.load(mirror).compare
        return lambda x, y: exchanged(Pair(Reference(y), x))
    ridge = re.fullmatch(_RIDGE, name)
    if ridge is None:
        return None
    if ridge[1]:
        return lambda x, y: _held_out_ridge(x, y, float(ridge[2]))
    return lambda x, y: measure.compare(Pair(Reference(x), y))


def _held_out_ridge(x: Tensor, y: Tensor, penalty: float) -> Tensor:
    """Return `registry.regression.cross_validated_ridge` of one pair, with a gradient in X."""
    wide, scores = y.double(), []
    identity = torch.eye(y.shape[-1], dtype=wide.dtype, device=wide.device)
    for start, stop in fold_bounds(len(x)):
        held_out = torch.zeros(len(x), dtype=torch.bool, device=x.device)
        held_out[start:stop] = True
        means = x[~held_out].double().mean(0), wide[~held_out].mean(0)
        train = x[~held_out].double() - means[0], wide[~held_out] - means[1]
        test = x[held_out].double() - means[0], wide[held_out] - means[1]
        penalised = train[1].mT @ train[1] + penalty * identity
        residual = test[0] - test[1] @ torch.linalg.solve(penalised, train[1].mT @ train[0])
        scores.append(1 - residual.square().sum() / test[0].square().sum())
    return torch.stack(scores).mean().to(x.dtype)


class FreeX:
    """Points of the joint optimisation that are X and Y side by side, (n_samples, n_x + n_y).

    X starts as the reference, brought to a root mean square of 1 about its neurons' means, the size
    of Y's start, so that both move at one pace. No score that this takes sees the size of X.

    Parameters
    ----------
    x : Tensor, shape (n_samples, n_x)
    names : tuple of str
        Ids of measures a and b.
    """

    def __init__(self, x: Tensor, names: tuple[str, str]):
        centred = x - x.mean(0)
        self.x = centred / centred.square().mean().sqrt()
        self.names = names

    def start(self, y: Tensor) -> Tensor:
        """Return the point at which Y is `y` and X the reference."""
        return torch.cat([self.x, y], -1)

    def sides(self, point: Tensor) -> tuple[Tensor, Tensor]:
        """Return X and Y of a point."""
        n_x = self.x.shape[1]
        return point[..., :n_x], point[..., n_x:]

    def scorer(self) -> Scorer:
        """Return the function of points that gives both scores, differentiable in X and Y."""
        base = [base_of(name) for name in self.names]
        of_y = [registry.load(name).compare for name in base]
        of_x = [differentiable_in_x(name) for name in base]

        def one(point: Tensor) -> list[Tensor]:
            x, y = self.sides(point)
            pair = Pair(Reference(x.detach()), y)
            scores = [compare(pair) for compare in of_y]
            if point.requires_grad:
                # The same score again, which adds the slope in X and nothing to the value.
                again = [score(x, y.detach()) for score in of_x if score is not None]
                scores = [
                    score + (other - other.detach())
                    for score, other in zip(scores, again, strict=True)
                ]
            return [
                to_measure_scale(name, each) for name, each in zip(self.names, scores, strict=True)
            ]

        def evaluate(points: Tensor) -> tuple[Tensor, Tensor]:
            batch = points.reshape(-1, *points.shape[-2:])
            both = torch.stack([torch.stack(one(point)) for point in batch])
            first, second = both.unbind(-1)
            return first.reshape(points.shape[:-2]), second.reshape(points.shape[:-2])

        return evaluate
