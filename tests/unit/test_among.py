"""Scores of several measures between all pairs at once are those of one measure at a time."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from scorebounds.measures import registry
from scorebounds.measures.among import scores_among

NAMES = ["cca", "pwcca", "svcca", "linreg", "hsic", "cka", "cka_rbf_0.4", "ridge_cv_1", "pwcca"]


@pytest.fixture
def layers():
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((40, 6))
    mixed = [shared @ rng.standard_normal((6, width)) for width in (4, 6, 9)]
    return [torch.from_numpy(each + rng.standard_normal(each.shape)) for each in mixed]


def test_scores_among_layers_are_those_of_one_measure_at_a_time(layers):
    measures = [registry.load(name) for name in NAMES]
    found = scores_among(measures, layers)
    assert set(found) == set(NAMES)
    for measure in measures:
        assert_close(found[measure.name], measure.between(layers), rtol=0, atol=1e-12)


def test_layers_with_other_samples_are_refused(layers):
    layers[1] = layers[1][:-1]
    with pytest.raises(ValueError, match="equal n_samples"):
        scores_among([registry.load("cka"), registry.load("nbs")], layers)
