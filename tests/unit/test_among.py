"""Scores of several measures between all pairs at once are those of one measure at a time."""

import dataclasses
import gc
import weakref

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from scorebounds.measures import registry
from scorebounds.measures.among import scores_among
from scorebounds.measures.kernels import linear_cka

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


@pytest.mark.parametrize("blocks", [[[0, 1], [1, 2], [2, 3]], [[0, 2], [2, 3]], [[0, 1], [1, 3]]])
def test_scores_do_not_depend_on_the_layers_that_are_kept(layers, blocks):
    measures = [registry.load(name) for name in [*NAMES, "cca_r2", "ridge_100", "soft_matching"]]
    whole = scores_among(measures, layers)
    parts = scores_among(measures, layers, [range(*block) for block in blocks])
    for name, scores in whole.items():
        assert torch.equal(parts[name], scores), name


def test_each_block_keeps_its_own_layers_and_one_other(layers):
    """Layers of the other blocks are read one after the other, and none is held on to."""
    held = []

    class Read:
        def __len__(self):
            return len(layers)

        def __getitem__(self, place):
            layer = layers[place].clone()
            held.append(weakref.ref(layer))
            return layer

    in_memory = set()

    def count(pair):
        gc.collect()
        in_memory.add(sum(each() is not None for each in held))
        return linear_cka(pair)

    # HSIC does not scale a layer, so that no copy of it is made.
    measure = dataclasses.replace(registry.load("hsic"), compare=count)
    scores_among([measure], Read(), [range(1), range(1, 2), range(2, 3)])
    assert in_memory == {1, 2}
    assert len(held) == 3 + 3


def test_layers_with_other_samples_are_refused(layers):
    layers[1] = layers[1][:-1]
    with pytest.raises(ValueError, match="equal n_samples"):
        scores_among([registry.load("cka"), registry.load("nbs")], layers)
