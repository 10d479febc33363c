"""Y itself as coordinates, for measures that see single samples."""

from collections.abc import Iterator

import torch
from torch import Tensor

from scorebounds.measures.base import Measure
from scorebounds.measures.pair import centre
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
            return first(y), second(y)

        return scores

    def build(self, point: Points) -> Tensor:
        """Return the Y of one point (a batch of one), shape (n_samples, q)."""
        return point.coordinates.view(self.x.shape)


def as_points(y: Tensor) -> Points:
    """Take matrices (n, n_samples, q) as points."""
    return Points(torch.empty(len(y), 0, dtype=torch.long, device=y.device), y.flatten(1))


def full_paths(x: Tensor, seed: int) -> Iterator[Points]:
    """Yield kinds of Y of the shape of X, each a path along which scores change.

    Each has as many numbers as `N_VALUES` times X, so that only one is held at a time.

    X scaled is for measures that depend on the scale of Y; a large column next to faint components
    of X for those that measure how well Y predicts; noise for the others.
    """
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(x.shape, generator=generator, dtype=x.dtype).to(x)
    width = x.shape[1]
    u, s, _ = torch.linalg.svd(centre(x), full_matrices=False)
    rank = int((s > s[0] * max(x.shape) * torch.finfo(x.dtype).eps).sum())
    u, s = u[:, :rank], s[:rank]

    def wide(y: Tensor) -> Tensor:
        padded: Tensor = torch.nn.functional.pad(y, (0, width - y.shape[-1]))
        return padded

    scores = wide(u * s)
    noise = noise * s.norm() / noise.norm()
    scales = torch.logspace(-7, 5, N_VALUES, dtype=x.dtype, device=x.device)[:, None, None]
    share = torch.linspace(0, 1, N_VALUES, dtype=x.dtype, device=x.device)[:, None, None]
    first = torch.zeros_like(scores)
    first[:, :2] = scores[:, :2]
    powers = torch.linspace(-2, 4, N_VALUES, dtype=x.dtype, device=x.device)[:, None, None]
    rows = x.norm(dim=1, keepdim=True)
    families = (
        lambda: scales * x,
        # X turned upside down.
        lambda: scales * wide(u * (s[-1] / s)),
        lambda: (1 - share) * scores + share * noise,
        lambda: (1 - share) * first + share * noise,
        # Powers of the spectrum.
        lambda: wide(u * (s / s[0]) ** powers),
        # Noise of the size of each sample.
        lambda: (1 - share) * scores + share * noise * rows / rows.mean(),
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
