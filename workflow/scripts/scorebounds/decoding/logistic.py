"""Many logistic regressions with an L2 penalty at once, each up to its optimum."""

from typing import NamedTuple

import torch
from torch import Tensor

from scorebounds.optimization.lbfgs import CurvaturePair, descent_direction

MAX_STEPS = 2000
MEMORY = 5  # pairs of step and change of gradient that the curvature is estimated from
STEEP = 0.5  # a step is too long if the slope at its end exceeds this share of the first slope
FEWER = 0.7  # share of unfinished regressions below which the batch is reduced


class NotConvergedError(ValueError):
    """Raised if a regression has not converged after the largest number of steps."""


class Problems(NamedTuple):
    """Regressions that share their samples in groups.

    Attributes
    ----------
    features : Tensor, shape (n_batch, n_samples, n_features)
        Of comparable scale.
    classes : Tensor, shape (n_targets, n_samples)
        Class of each sample, from 0, in each labelling to be learnt.
    n_classes : int
    training : Tensor, shape (n_batch, n_folds, n_samples)
        1 for the samples to learn from, 0 for those held out.
    centre, scale : Tensor, shape (n_batch, n_folds, n_features)
        The regression is on (features − centre) · scale.
    """

    features: Tensor
    classes: Tensor
    n_classes: int
    training: Tensor
    centre: Tensor
    scale: Tensor

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Folds, targets, rows of weights (one for two classes), weights with the intercept."""
        n_rows = 1 if self.n_classes == 2 else self.n_classes
        n_weights = self.features.shape[-1] + 1
        return self.training.shape[1], len(self.classes), n_rows, n_weights

    def to(self, dtype: torch.dtype) -> "Problems":
        """Return the regressions in another precision."""
        numbers = ("features", "training", "centre", "scale")
        return self._replace(**{name: getattr(self, name).to(dtype) for name in numbers})

    def keep(self, rows: Tensor) -> "Problems":
        """Return a part of the batch."""
        return self._replace(
            features=self.features[rows],
            training=self.training[rows],
            centre=self.centre[rows],
            scale=self.scale[rows],
        )


def fit(problems: Problems, c: float, tolerance: float) -> Tensor:
    """Minimise ½‖w‖² + C Σ loss for every member of the batch, fold and target.

    The loss is the cross-entropy of a sigmoid for two classes and of a softmax for more; the
    intercept is free: the objective of scikit-learn's LogisticRegression. L-BFGS, all regressions
    together, each with its own curvature and step length.

    Parameters
    ----------
    problems : Problems
    c : float
        Weight of the loss, scikit-learn's C.
    tolerance : float
        Norm of the gradient at which a regression has converged. The penalty makes the objective
        1-strongly convex in the weights, so that they lie about as close to the optimum.

    Returns
    -------
    Tensor, shape (n_batch, n_folds, n_targets, n_rows, n_features + 1)
        Weights of the scaled features and, last, the intercept; one row for two classes.

    Raises
    ------
    NotConvergedError
        If a regression has not converged after `MAX_STEPS` steps.
    """
    solved = problems.features.new_zeros(len(problems.features), *problems.shape)
    going = torch.arange(len(solved), device=solved.device)
    search = _Search(problems, c)
    for _ in range(MAX_STEPS):
        search.step()
        unfinished = (search.gradient.norm(dim=-1) > tolerance).any(1)
        n_unfinished = int(unfinished.sum())
        if n_unfinished and n_unfinished > FEWER * len(going):
            continue
        solved[going[~unfinished]] = search.point[~unfinished].view(-1, *problems.shape)
        going = going[unfinished]
        if not n_unfinished:
            return solved
        search.keep(unfinished)
    raise NotConvergedError(
        f"logistic regression: expected a gradient of norm {tolerance:g} or less within "
        f"{MAX_STEPS} steps, got {search.gradient.norm(dim=-1).max():.3g}"
    )


def logits(problems: Problems, weights: Tensor) -> Tensor:
    """Return linear predictors, shape (n_batch, n_folds, n_targets, n_rows, n_samples)."""
    scaled = weights[..., :-1] * problems.scale[:, :, None, None]
    shift = torch.einsum("bftkd,bfd->bftk", scaled, problems.centre)
    products = scaled.flatten(1, 3) @ problems.features.mT
    return products.view(*scaled.shape[:-1], -1) + (weights[..., -1] - shift)[..., None]


def gradient(problems: Problems, weights: Tensor, c: float) -> Tensor:
    """Return the gradient of the objective, of the shape of `weights`."""
    linear = logits(problems, weights)
    if problems.n_classes == 2:
        residual = linear.sigmoid_() - problems.classes[:, None]
    else:
        residual = linear.softmax(-2)
        wanted = problems.classes[None, None, :, None].expand(*residual.shape[:3], 1, -1)
        residual.scatter_add_(-2, wanted, residual.new_full((), -1).expand(wanted.shape))
    residual *= c * problems.training[:, :, None, None]
    total = residual.sum(-1, keepdim=True)
    products = (residual.flatten(1, 3) @ problems.features).view(*weights.shape[:-1], -1)
    slope = (products - total * problems.centre[:, :, None, None]) * problems.scale[
        :, :, None, None
    ]
    return torch.cat([slope + weights[..., :-1], total], -1)


class _Search:
    """L-BFGS on a batch: one step of every regression costs one gradient of all.

    Whether a step was too long follows from the slope at its end, because the objective is convex;
    its value is never needed. A step that was too long is repeated with a shorter length.

    Attributes
    ----------
    point, gradient : Tensor, shape (n_batch, n_regressions, n_weights)
    """

    def __init__(self, problems: Problems, c: float):
        self.problems = problems
        self.c = c
        shape = problems.shape
        self.point = problems.features.new_zeros(
            len(problems.features), shape[0] * shape[1], shape[2] * shape[3]
        )
        self.gradient = self._gradient(self.point)
        self.products = torch.empty_like(self.point)
        self.pairs: list[CurvaturePair] = []
        self.curvature = self.gradient.norm(dim=-1, keepdim=True).clamp(min=1)
        self._turn()
        self.length = torch.ones_like(self.slope)

    def _gradient(self, point: Tensor) -> Tensor:
        weights = point.view(len(point), *self.problems.shape)
        return gradient(self.problems, weights, self.c).view(point.shape)

    def step(self) -> None:
        """Try a step of each regression, and accept those that were not too long."""
        step = self.length * self.direction
        gradient = self._gradient(self.point + step)
        slope = self._dot(gradient, self.direction)
        fine = slope <= STEEP * self.slope.abs()
        change = gradient - self.gradient
        if not fine.all():
            step, change = torch.where(fine, step, 0), torch.where(fine, change, 0)
        self.point = self.point + step
        self.gradient = self.gradient + change
        product = self._dot(step, change)
        useful = product > 0
        inverse = torch.where(useful, 1 / product, 0)
        self.curvature = torch.where(useful, self._dot(change, change) * inverse, self.curvature)
        self.pairs = [*self.pairs[1 - MEMORY :], CurvaturePair(step, change, inverse)]
        shorter = (self.slope / (self.slope - slope)).clamp(0.1, 0.9)
        self.length = torch.where(fine, 1, self.length * shorter)
        self._turn()

    def _turn(self) -> None:
        """Set the direction of the next step, and the slope along it."""
        self.direction = descent_direction(
            self.gradient, self.pairs, 1 / self.curvature, self.products
        )
        self.slope = self._dot(self.direction, self.gradient)

    def _dot(self, a: Tensor, b: Tensor) -> Tensor:
        # Reuse memory: allocating each product would take longer than computing it.
        return torch.mul(a, b, out=self.products).sum(-1, keepdim=True)

    def keep(self, rows: Tensor) -> None:
        """Keep only a part of the batch."""
        self.problems = self.problems.keep(rows)
        for name in ("point", "gradient", "products", "curvature", "direction", "slope", "length"):
            setattr(self, name, getattr(self, name)[rows])
        self.pairs = [CurvaturePair(*(part[rows] for part in pair)) for pair in self.pairs]
