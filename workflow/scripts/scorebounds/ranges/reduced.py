"""Coordinates in which CKA, NBS and linear regression need few numbers of Y.

Centred X = U S Vᵀ and Y = U A + W B, W orthonormal and orthogonal to X. These measures depend
on Y only through A and BᵀB. Extremes of NBS at a fixed CKA have A and B diagonal except for
PCs that are turned into each other in pairs (docs/bounds.md): a point is one block of two PCs, any
two, and two numbers for each other PC.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from scorebounds.measures.closed_form import centre
from scorebounds.ranges.search import ON_GOAL, Scores

TINY = 1e-300
MIN_RANK = 2


@dataclass(frozen=True)
class Points:
    """A batch of Y in reduced coordinates.

    Attributes
    ----------
    order : Tensor of int, shape (n, r)
        The PCs of X, those of the block first.
    coordinates : Tensor, shape (n, 8 + 2 q)
        Of the block A₂ (4) and B₂ (4); then A's and B's diagonal, of which the first two entries
        are not used.
    """

    order: Tensor
    coordinates: Tensor

    def __getitem__(self, rows: Any) -> "Points":
        return Points(self.order[rows], self.coordinates[rows])

    def moved(self, coordinates: Tensor) -> "Points":
        """Return the same blocks with other coordinates."""
        return replace(self, coordinates=coordinates)


def join(points: list[Points]) -> Points:
    """Put batches one after the other."""
    return Points(
        torch.cat([each.order for each in points]), torch.cat([each.coordinates for each in points])
    )


def without_spare_columns(x: Tensor) -> Tensor:
    """Return X, rotated to as many columns as centred samples have dimensions if it has more.

    For measures that do not change with a rotation of the columns of X or Y.
    """
    if x.shape[1] < len(x):
        return x
    u, s, _ = torch.linalg.svd(centre(x), full_matrices=False)
    scores: Tensor = (u * s)[:, : len(x) - 1]
    return scores


class ReducedSpace:
    """The Y of at most as many columns as X has, for one X.

    Parameters
    ----------
    x : Tensor, shape (n_samples, q)
        Of rank 2 at least.
    seed : int
        Of the directions outside X, which are drawn at random: scores do not depend on them.
    """

    on_goal = ON_GOAL

    def __init__(self, x: Tensor, seed: int):
        centred = centre(x)
        u, s, _ = torch.linalg.svd(centred, full_matrices=False)
        rank = int((s > s[0] * max(x.shape) * torch.finfo(x.dtype).eps).sum())
        if rank < MIN_RANK:
            raise ValueError(f"ranges need data of at least {MIN_RANK} dimensions, got {rank}")
        self.s = s[:rank] / torch.linalg.vector_norm(s[:rank])
        self.basis = u[:, :rank]
        self.rank, self.width = rank, x.shape[1]
        self.n_outside = min(len(x) - 1 - rank, self.width)
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.randn(len(x), self.n_outside, generator=generator, dtype=x.dtype).to(x)
        taken = torch.cat([torch.ones_like(x[:, :1]) / len(x) ** 0.5, self.basis], 1)
        for _ in range(2):
            drawn = drawn - taken @ (taken.mT @ drawn)
            drawn = torch.linalg.qr(drawn).Q
        self.outside = drawn
        self.norm = torch.linalg.vector_norm(self.s.square())

    def free(self, order: Tensor) -> Tensor:
        """Tell which coordinates may differ from zero, as 0 and 1, shape (n, 8 + 2 q)."""
        n, q = len(order), self.width
        number = torch.arange(q, device=order.device)
        inside = (number < self.rank).expand(n, q)
        # Where few dimensions are outside X, the first columns of the order have them.
        outside = (number < self.n_outside).expand(n, q)
        block = torch.ones(n, 4, dtype=torch.bool, device=order.device)
        two = torch.arange(2, device=order.device)
        rows = (two < self.n_outside).repeat_interleave(2).expand(n, 4)
        inside, outside = inside.clone(), outside.clone()
        inside[:, :2] = outside[:, :2] = False
        return torch.cat([block, rows, inside, outside], 1).to(self.s)

    def diagonal(self, order: Tensor, inside: Tensor, outside: Tensor) -> Points:
        """Return Y = U diag(inside) + W diag(outside), both (n, q) in the PCs' own order."""
        q, r = self.width, self.rank
        others = torch.arange(r, q, device=order.device)
        whole = torch.cat([order, others.expand(len(order), -1)], 1)
        inside, outside = inside.gather(1, whole), outside.gather(1, whole)
        blocks = [torch.diag_embed(each[:, :2]).flatten(1) for each in (inside, outside)]
        coordinates = torch.cat([*blocks, inside, outside], 1)
        return Points(order, coordinates * self.free(order))

    def scorer(self, points: Points, names: tuple[str, str]) -> Scores:
        """Return the function of coordinates that scores Y with these blocks, differentiable."""
        free, s = self.free(points.order), self._in_order(points.order)

        def scores(coordinates: Tensor) -> tuple[Tensor, Tensor]:
            at, q = coordinates * free, self.width
            a, b = at[:, :4].view(-1, 2, 2), at[:, 4:8].view(-1, 2, 2)
            inside, outside = at[:, 8 : 8 + q], at[:, 8 + q :]
            gram = a.mT @ a + b.mT @ b
            parts = (s, a, gram, inside, inside.square() + outside.square())
            first, second = (getattr(self, f"_{name}")(*parts) for name in names)
            return first, second

        return scores

    def _in_order(self, order: Tensor) -> Tensor:
        padded: Tensor = torch.nn.functional.pad(self.s[order], (0, self.width - self.rank))
        return padded

    def _cka(self, s: Tensor, a: Tensor, gram: Tensor, inside: Tensor, squared: Tensor) -> Tensor:
        shared = (s[:, :2, None] * a).square().sum((-2, -1)) + (s * inside).square().sum(-1)
        size = gram.square().sum((-2, -1)) + squared.square().sum(-1)
        cka = shared / (self.norm * size.clamp_min(TINY).sqrt())
        return torch.where(size > 0, cka, torch.nan)

    def _nbs(self, s: Tensor, a: Tensor, gram: Tensor, inside: Tensor, squared: Tensor) -> Tensor:
        block = s[:, :2, None] * a
        # σ₁ + σ₂ of a block, from its norm and its determinant.
        size = block.square().sum((-2, -1)) + 2 * _determinant(block).abs()
        total = size.clamp_min(TINY).sqrt() + (s * inside.abs()).sum(-1)
        squared_norm = gram.diagonal(dim1=-2, dim2=-1).sum(-1) + squared.sum(-1)
        nbs = total / squared_norm.clamp_min(TINY).sqrt()
        # Y without variance has no score.
        return torch.where(squared_norm > 0, nbs, torch.nan)

    def _linreg(
        self, s: Tensor, a: Tensor, gram: Tensor, inside: Tensor, squared: Tensor
    ) -> Tensor:
        block = s[:, :2, None] * a
        # Columns of zeros explain nothing.
        determinant = _determinant(gram)
        adjugate = torch.stack(
            [gram[:, 1, 1], -gram[:, 0, 1], -gram[:, 1, 0], gram[:, 0, 0]], -1
        ).view(-1, 2, 2)
        regular = determinant > 1e-12 * gram.square().sum((-2, -1))
        whole = (block @ adjugate * block).sum((-2, -1)) / determinant.masked_fill(~regular, 1)
        squared_norms = gram.diagonal(dim1=-2, dim2=-1)
        column = squared_norms.argmax(-1)[:, None]
        alone = block.square().sum(-2).gather(1, column)[:, 0]
        alone = alone / squared_norms.gather(1, column)[:, 0].clamp_min(TINY)
        share = (s * inside).square() / squared.clamp_min(TINY)
        total: Tensor = torch.where(regular, whole, alone) + share.sum(-1)
        return total

    def build(self, point: Points) -> Tensor:
        """Return the Y of one point (a batch of one), shape (n_samples, q)."""
        basis, outside = self.basis, self.outside
        at, q = point.coordinates[0], self.width
        y = torch.nn.functional.pad(basis[:, point.order[0]], (0, q - self.rank)) * at[8 : 8 + q]
        y[:, : self.n_outside] += outside * at[8 + q : 8 + q + self.n_outside]
        y[:, :2] += basis[:, point.order[0, :2]] @ at[:4].view(2, 2)
        rows = min(2, self.n_outside)
        y[:, :2] += outside[:, :rows] @ at[4:8].view(2, 2)[:rows]
        return y


def _determinant(matrix: Tensor) -> Tensor:
    return matrix[:, 0, 0] * matrix[:, 1, 1] - matrix[:, 0, 1] * matrix[:, 1, 0]
