"""Measures of shape: how well a rotation lays one cloud of samples over the other."""

import math

from torch import Tensor

from scorebounds.measures.base import (
    CLOOS_2025,
    ORTHOGONAL,
    PERMUTATION,
    TRANSLATION,
    at_most_one,
)
from scorebounds.measures.closed_form import angular
from scorebounds.measures.pair import Pair, in_double
from scorebounds.measures.registry import declare
from scorebounds.measures.singular_values import nuclear_norm, rotation_distance


def normalized_bures(pair: Pair) -> Tensor:
    """Normalised Bures similarity, ‖XᵀY‖_* / (‖X‖_F ‖Y‖_F).

    The cosine between X and the best rotation of Y; in [0, 1], 1 for a match up to rotation,
    scale and offset. Cloos et al. 2025, section 3.
    """
    return at_most_one(
        nuclear_norm(pair.cross) / (pair.reference.squared_norm * pair.squared_norm).sqrt()
    )


@in_double
def angular_procrustes(pair: Pair) -> Tensor:
    """Return 1 − arccos(NBS)/(π/2): the angular Procrustes score, in [0, 1].

    In double precision, for near a match the angle is the square root of the rounding. Cloos et
    al. 2025, section 3.
    """
    return angular(normalized_bures(pair))


def procrustes_distance(pair: Pair) -> Tensor:
    """Distance of X to the best rotation of Y, min ‖X − YQ‖_F, the narrower side zero-padded.

    In [0, ∞), in the unit of X and Y. Williams et al. 2021, eq. 5 with α = 1.
    """
    return rotation_distance(pair.reference.x, pair.y, pair.cross)


def normalized_procrustes_distance(pair: Pair) -> Tensor:
    """Procrustes distance of X/‖X‖_F and Y/‖Y‖_F, √(2 − 2 NBS), in [0, √2].

    Ding et al. 2021, section 2.
    """
    scale_x, scale_y = pair.reference.squared_norm.sqrt(), pair.squared_norm.sqrt()[..., None, None]
    cross = pair.cross / (scale_x * scale_y)
    return rotation_distance(pair.reference.x / scale_x, pair.y / scale_y, cross)


_SMALL = "nothing up to rotation; a component weighs with its share of the variance"
_COST = "npq + pq·min(p, q)"
_WILLIAMS_2021 = (
    "Williams et al. 2021, Generalized Shape Metrics on Neural Representations, "
    "arXiv:2110.14739, α = 1"
)

NBS = declare(
    "nbs",
    compare=normalized_bures,
    smooth_at_low_rank=False,
    reference=f"{CLOOS_2025}, section 3",
    formula="‖XᵀY‖_* / (‖X‖_F ‖Y‖_F)",
    blind_to=_SMALL,
    cost=_COST,
)
PROCRUSTES_ANGULAR = declare(
    "procrustes_angular",
    compare=angular_procrustes,
    smooth_at_low_rank=False,
    angular=True,
    reference=f"{CLOOS_2025}, section 3",
    formula="1 − arccos(NBS)/(π/2)",
    blind_to=_SMALL,
    cost=_COST,
)
PROCRUSTES_DISTANCE = declare(
    "procrustes_distance",
    compare=procrustes_distance,
    perfect=0.0,
    higher_is_closer=False,
    bounds=(0.0, float("inf")),
    invariances=frozenset({ORTHOGONAL, TRANSLATION, PERMUTATION}),
    scale=lambda reference: reference.squared_norm.sqrt(),
    smooth_at_low_rank=False,
    reference=_WILLIAMS_2021,
    formula="min ‖X − YQ‖_F over rotations Q",
    blind_to="nothing up to rotation; the scale of Y counts",
    cost="2npq + pq·min(p, q)",
)
PROCRUSTES_NORMALISED = declare(
    "procrustes_normalised",
    compare=normalized_procrustes_distance,
    perfect=0.0,
    higher_is_closer=False,
    bounds=(0.0, math.sqrt(2)),
    scale=lambda reference: reference.squared_norm.new_tensor(math.sqrt(2)),
    smooth_at_low_rank=False,
    reference="Ding et al. 2021, Grounding Representation Similarity Through Statistical "
    "Testing, arXiv:2108.01661, section 2 (the square root of theirs)",
    formula="√(2 − 2 NBS)",
    blind_to=_SMALL,
    cost="2npq + pq·min(p, q)",
)
