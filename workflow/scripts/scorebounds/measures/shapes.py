"""Measures of shape: how well a rotation lays one cloud of samples over the other."""

import math

from torch import Tensor

from scorebounds.measures.base import Pair, at_most_one, similarity
from scorebounds.measures.closed_form import nuclear_norm, safe_arccos


def normalized_bures(pair: Pair) -> Tensor:
    """Normalised Bures similarity, ‖XᵀY‖_* / (‖X‖_F ‖Y‖_F).

    The cosine between X and the best rotation of Y; in [0, 1], 1 for a match up to rotation,
    scale and offset. Cloos et al. 2025, section 3.
    """
    return at_most_one(nuclear_norm(pair.cross) / (pair.reference.energy * pair.energy).sqrt())


def angular_procrustes(pair: Pair) -> Tensor:
    """Return 1 − arccos(NBS)/(π/2): the angular Procrustes score, in [0, 1].

    Cloos et al. 2025, section 3.
    """
    return 1 - safe_arccos(normalized_bures(pair)) / (math.pi / 2)


_SOURCE = (
    "Cloos et al. 2025, Differentiable Optimization of Similarity Scores Between Models and "
    "Brains, section 3, arXiv:2407.07059"
)

NBS = similarity("nbs", "NBS", normalized_bures, _SOURCE)
PROCRUSTES_ANGULAR = similarity(
    "procrustes_angular", "angular Procrustes", angular_procrustes, _SOURCE
)
