"""Measures that compare the samples' similarity matrices: linear centred kernel alignment."""

import math

import torch
from torch import Tensor

from scorebounds.measures.base import Pair, at_most_one, similarity
from scorebounds.measures.closed_form import safe_arccos


def linear_cka(pair: Pair) -> Tensor:
    """Linear centred kernel alignment, ‖XᵀY‖²_F / (‖XᵀX‖_F ‖YᵀY‖_F).

    In [0, 1], 1 for a match up to rotation, scale and offset. Kornblith et al. 2019, eq. 4 and
    section 3.
    """
    gram_norm = torch.linalg.matrix_norm(pair.gram)
    shared = pair.cross.square().sum((-2, -1))
    return at_most_one(shared / (pair.reference.gram_norm * gram_norm))


def angular_cka(pair: Pair) -> Tensor:
    """Return 1 − arccos(CKA)/(π/2): linear CKA on an angular scale, in [0, 1].

    Cloos et al. 2025, section 3.
    """
    return 1 - safe_arccos(linear_cka(pair)) / (math.pi / 2)


CKA = similarity(
    "cka",
    "CKA",
    linear_cka,
    "Kornblith et al. 2019, Similarity of Neural Network Representations Revisited, eq. 4 with "
    "the linear kernel, arXiv:1905.00414",
)
CKA_ANGULAR = similarity(
    "cka_angular",
    "angular CKA",
    angular_cka,
    "Cloos et al. 2025, Differentiable Optimization of Similarity Scores Between Models and "
    "Brains, section 3, arXiv:2407.07059",
)
