"""Layers of networks of different widths, depths and kinds (Kornblith et al. 2019, section 6)."""

import itertools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from torch import Tensor

from scorebounds.measures.base import Measure
from scorebounds.networks.architectures import (
    HALVES,
    PLAIN,
    RESIDUAL,
    STANDARD,
    in_first_half,
)

Networks = Mapping[str, Sequence[Sequence[Tensor]]]
MAP_COLUMNS = ["network", "other_network", "layer", "other_layer", "score"]
WIDTH_COLUMNS = [
    "width",
    "compared_with",
    "layer",
    "score_mean",
    "score_low",
    "score_high",
    "n_pairs",
]
OTHER_DATA_COLUMNS = [
    "images",
    "networks",
    "layer",
    "score_mean",
    "score_low",
    "score_high",
    "n_pairs",
]
HALF_NAMES = ("first half of the classes", "second half of the classes")
WIDEST, SAME_WIDTH = "the widest network", "another network of this width"


def depth_of(variant: str) -> int:
    """Return how often each convolution of a network is repeated; 0 if it is of another kind."""
    kind, _, size = variant.partition("-1x")
    return int(size) if kind == "tiny" and size else 0


def width_of(variant: str) -> float:
    """Return how many times the standard channels a network has; 0 if it is of another kind."""
    kind, _, size = variant.partition("-")
    return float(size.removesuffix("x1")) if kind == "tiny" and size.endswith("x1") else 0.0


def maps_to_make(variants: Sequence[str]) -> list[tuple[str, str]]:
    """List the pairs of networks whose layers are compared: rows, then columns of a map."""
    kinds = [name for name in variants if name.partition("-")[0] in (PLAIN, RESIDUAL)]
    within = [(name, name) for name in variants if depth_of(name) or name in kinds]
    residual = [name for name in kinds if name.startswith(RESIDUAL)]
    between = [(STANDARD, name) for name in residual]
    between += [(name.replace(RESIDUAL, PLAIN), name) for name in residual]
    return within + between


def comparison_maps(networks: Networks, measure: Measure) -> pd.DataFrame:
    """Score all layers of a network with those of the same network, and of networks of other kinds.

    Parameters
    ----------
    networks : mapping of str to sequence of sequence of Tensor
        By variant, the layers of each network of it; the first network of each is used.
    measure : Measure

    Returns
    -------
    DataFrame
        `MAP_COLUMNS`.
    """
    tables = []
    for one, other in maps_to_make(list(networks)):
        first, second = list(networks[one][0]), list(networks[other][0])
        scores = measure.between(first, second).cpu().numpy()
        row, column = np.indices(scores.shape) + 1
        table = pd.DataFrame({"layer": row.ravel(), "other_layer": column.ravel()})
        table = table.assign(score=scores.ravel(), network=one, other_network=other)
        tables.append(table[MAP_COLUMNS])
    return pd.concat(tables, ignore_index=True)


def width_table(networks: Networks, measure: Measure) -> pd.DataFrame:
    """Score the corresponding layers of networks of several widths.

    Parameters
    ----------
    networks, measure
        As of `comparison_maps`; at least two networks of each width.

    Returns
    -------
    DataFrame
        `WIDTH_COLUMNS`: mean, lowest and highest over pairs of different networks.
    """
    widths = sorted((width_of(name), name) for name in networks if width_of(name))
    widest = widths[-1][1]
    rows = []
    for width, name in widths:
        for label, other in ((WIDEST, widest), (SAME_WIDTH, name)):
            pairs = [
                (one, another)
                for i, one in enumerate(networks[name])
                for j, another in enumerate(networks[other])
                if name != other or i < j
            ]
            for layer in range(len(networks[name][0])):
                scores = [
                    float(measure.score(one[layer], another[layer])) for one, another in pairs
                ]
                summary = (np.mean(scores), min(scores), max(scores), len(scores))
                rows.append((width, label, layer + 1, *summary))
    return pd.DataFrame(rows, columns=WIDTH_COLUMNS)


def other_data_table(
    networks: Networks,
    untrained: Sequence[Sequence[Tensor]],
    classes: np.ndarray,
    measure: Measure,
) -> pd.DataFrame:
    """Score the corresponding layers of networks that were trained on different classes.

    Parameters
    ----------
    networks : mapping of str to sequence of sequence of Tensor
        The layers of each network of `HALVES`, for images of all classes.
    untrained : sequence of sequence of Tensor
        Those of the networks of the first half before training.
    classes : ndarray, shape (n_images,)
    measure : Measure

    Returns
    -------
    DataFrame
        `OTHER_DATA_COLUMNS`: mean, lowest and highest over pairs of networks of different seeds,
        for the images of either half. Kornblith et al. 2019, figure 7.
    """
    first, second = (networks[name] for name in HALVES)
    different = [
        (one, before)
        for (i, one), (j, before) in itertools.product(enumerate(first), enumerate(untrained))
        if i != j
    ]
    kinds: dict[str, Iterable[tuple[Sequence[Tensor], Sequence[Tensor]]]] = {
        "first and first half": itertools.combinations(first, 2),
        "second and second half": itertools.combinations(second, 2),
        "first and second half": itertools.product(first, second),
        "first half and untrained": different,
        "second half and untrained": itertools.product(second, untrained),
    }
    rows = []
    for kind, pairs in kinds.items():
        listed = list(pairs)
        for images, chosen in zip(HALF_NAMES, _halves(classes), strict=True):
            for layer in range(len(first[0])):
                scores = [
                    float(measure.score(one[layer][chosen], other[layer][chosen]))
                    for one, other in listed
                ]
                summary = (np.mean(scores), min(scores), max(scores), len(scores))
                rows.append((images, kind, layer + 1, *summary))
    return pd.DataFrame(rows, columns=OTHER_DATA_COLUMNS)


def _halves(classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of the images of either half of the classes."""
    is_first = in_first_half(classes)
    return np.flatnonzero(is_first), np.flatnonzero(~is_first)
