"""Y itself as coordinates, for measures that see single samples."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from scorebounds.measures.base import Measure
from scorebounds.measures.closed_form import centre
from scorebounds.ranges.fewer import FewerSamples
from scorebounds.ranges.reduced import Points
from scorebounds.ranges.search import Scores

N_VALUES = 24
# Size of the columns that explain X, next to one of size 1 that does not: regression sees them.
FAINT = 1e-3


class FullSpace:
    """The Y of the shape of X.

    Parameters
    ----------
    x : Tensor, shape (n_samples, q)
    measures : dict of str to Measure
        By id.
    """

    # Held-out ridge regression comes near to 1, and never there.
    on_goal = 1e-7

    def __init__(self, x: Tensor, measures: dict[str, Measure]):
        self.x = x
        self.against = {name: measure.against(x) for name, measure in measures.items()}

    def scorer(self, points: Points, names: tuple[str, str]) -> Scores:  # noqa: ARG002
        """Return the function of coordinates that scores Y, differentiable."""
        first, second = (self.against[name] for name in names)

        def scores(coordinates: Tensor) -> tuple[Tensor, Tensor]:
            y = coordinates.view(-1, *self.x.shape)
            a = first(y)
            return a, a if second is first else second(y)

        return scores

    def build(self, point: Points) -> Tensor:
        """Return the Y of one point (a batch of one), shape (n_samples, q)."""
        return point.coordinates.view(self.x.shape)


def as_points(y: Tensor) -> Points:
    """Take matrices (n, n_samples, q) as points."""
    return Points(torch.empty(len(y), 0, dtype=torch.long, device=y.device), y.flatten(1))


class Noise(NamedTuple):
    """Noise of the shape of X, to mix it with.

    Attributes
    ----------
    even : Tensor, shape (n_samples, q)
        With samples of one size.
    uneven : Tensor, shape (n_samples, q)
        To be multiplied by `sizes`.
    sizes : Tensor, shape (n_samples, 1)
        Of the samples of X.
    """

    even: Tensor
    uneven: Tensor
    sizes: Tensor

    def in_fewer(self, samples: FewerSamples) -> "Noise":
        """Return noise in fewer samples that has the products of this one."""
        uneven = samples.reduce(self.uneven * self.sizes / self.sizes.mean())
        return Noise(samples.reduce(self.even), uneven, torch.ones_like(samples.x[:, :1]))


def draw_noise(x: Tensor, seed: int) -> Noise:
    """Draw noise of the shape of X."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(x.shape, generator=generator, dtype=x.dtype).to(x)
    return Noise(noise, noise, x.norm(dim=1, keepdim=True))


def full_paths(x: Tensor, drawn: Noise) -> Iterator[Points]:
    """Yield kinds of Y of the shape of X, each a path along which scores change.

    Each has as many numbers as `N_VALUES` times X, so that only one is held at a time.

    X scaled is for measures that depend on the scale of Y; a large column next to faint components
    of X for those that measure how well Y predicts; noise for the others.
    """
    width = x.shape[1]
    u, s, _ = torch.linalg.svd(centre(x), full_matrices=False)
    rank = int((s > s[0] * max(x.shape) * torch.finfo(x.dtype).eps).sum())
    u, s = u[:, :rank], s[:rank]

    def wide(y: Tensor) -> Tensor:
        padded: Tensor = torch.nn.functional.pad(y, (0, width - y.shape[-1]))
        return padded

    scores = wide(u * s)
    noise, uneven = (part * s.norm() / drawn.even.norm() for part in (drawn.even, drawn.uneven))
    scales = torch.logspace(-7, 5, N_VALUES, dtype=x.dtype, device=x.device)[:, None, None]
    share = torch.linspace(0, 1, N_VALUES, dtype=x.dtype, device=x.device)[:, None, None]
    first = torch.zeros_like(scores)
    first[:, :2] = scores[:, :2]
    powers = torch.linspace(-2, 4, N_VALUES, dtype=x.dtype, device=x.device)[:, None, None]
    families = (
        lambda: scales * x,
        # X turned upside down.
        lambda: scales * wide(u * (s[-1] / s)),
        lambda: (1 - share) * scores + share * noise,
        lambda: (1 - share) * first + share * noise,
        # Powers of the spectrum.
        lambda: wide(u * (s / s[0]) ** powers),
        # Noise of the size of each sample.
        lambda: (1 - share) * scores + share * uneven * drawn.sizes / drawn.sizes.mean(),
    )
    for family in families:
        yield as_points(family())
    if rank < len(x) - 1:
        # One column outside X.
        odd = noise[:, :1] - u @ (u.mT @ noise[:, :1])
        odd = odd - odd.mean()
        kept = u[:, : width - 1]
        rest = wide(torch.cat([kept, odd * 0], 1))
        only = wide(torch.cat([kept * 0, odd / odd.norm() / FAINT], 1))
        yield as_points(scales * (rest + only))
