"""Shuffled labels are distinct, differ from the labels, and are all listed where there are few."""

import itertools
import math

import numpy as np
import pytest

from scorebounds.core.recording import recording
from scorebounds.decoding.decoder import Decoder
from scorebounds.decoding.design import design
from scorebounds.decoding.reference import reference_tables
from scorebounds.decoding.shuffles import partition, shuffles
from scorebounds.decoding.summary import SIGNIFICANT

DECODER = Decoder(c=1.0, standardize=True)


def labelled(labels, *, effect=0.0, n_neurons=6, seed=0, **attrs):
    rng = np.random.default_rng(seed)
    activity = rng.standard_normal((3, len(labels), n_neurons))
    activity[..., 0] += effect * np.asarray(labels)
    array = recording(activity, {"look": labels})
    return array.assign_attrs(dataset="made", **attrs)


def test_partition_ignores_the_names_of_classes():
    assert partition(np.array([0, 0, 1, 2])) == partition(np.array([2, 2, 0, 1]))
    assert partition(np.array([0, 0, 1, 2])) != partition(np.array([0, 1, 1, 2]))


@pytest.mark.parametrize("n_per_class", [5, 6, 8, 18])
def test_no_shuffle_is_the_labels_their_complement_or_another_shuffle(n_per_class):
    labels = np.repeat([0, 1], n_per_class)
    for seed in range(20):
        plan = design(labelled(labels), n_folds=5, seed=seed)
        drawn = shuffles(plan, "look", 20, seed)
        keys = {partition(shuffle.classes) for shuffle in drawn}
        assert len(drawn) == len(keys) == 20
        assert partition(labels) not in keys
        for shuffle in drawn:
            assert np.bincount(shuffle.classes).tolist() == [n_per_class] * 2


def test_folds_of_a_shuffle_are_as_stratified_as_those_of_the_labels():
    labels = np.repeat([0, 1, 2], [13, 9, 7])
    plan = design(labelled(labels), n_folds=5, seed=0)
    drawn = shuffles(plan, "look", 10, seed=0)
    assert len(drawn) == 10
    for shuffle in drawn:
        for label in range(3):
            theirs = np.bincount(plan.folds["look"][labels == label], minlength=5)
            ours = np.bincount(shuffle.folds[shuffle.classes == label], minlength=5)
            assert ours.tolist() == theirs.tolist()


def test_all_shuffles_are_listed_where_there_are_few():
    labels = np.repeat([0, 1], [2, 3])
    plan = design(labelled(labels), n_folds=2, seed=0)
    drawn = shuffles(plan, "look", 100, seed=0)
    expected = {
        partition(np.isin(np.arange(5), chosen).astype(int))
        for chosen in itertools.combinations(range(5), 2)
    }
    assert len(expected) == math.comb(5, 2)
    keys = {partition(shuffle.classes) for shuffle in drawn}
    assert keys == expected - {partition(labels)}


def test_labels_are_exchanged_within_groups_only():
    labels = np.tile([0, 0, 1, 1, 1], 4)
    array = labelled(labels).assign_coords(run=("condition", np.repeat(range(4), 5)))
    array = array.assign_attrs(variables=["look", "run"], groups="run")
    plan = design(array, n_folds=4, seed=0)
    drawn = shuffles(plan, "look", 30, seed=0)
    assert len(drawn) == 30
    for shuffle in drawn:
        assert (shuffle.folds == plan.folds["look"]).all()
        assert (shuffle.classes.reshape(4, 5).sum(1) == 3).all()


def test_conditions_keep_one_label_within_a_block_of_time():
    target = np.array(["left", "right", "up"])
    activity = np.random.default_rng(0).standard_normal((23, 3, 6))
    plan = design(
        recording(activity, {"target": target}).assign_attrs(dataset="averages"), n_folds=5, seed=0
    )
    block = plan.folds["target"].reshape(23, 3)[:, 0]
    drawn = shuffles(plan, "target", 10, seed=0)
    assert len(drawn) == 10
    for shuffle in drawn:
        for number in range(5):
            rows = shuffle.classes.reshape(23, 3)[block == number]
            assert (rows == rows[0]).all()
            assert sorted(rows[0]) == [0, 1, 2]


def test_six_conditions_of_each_class_that_differ_clearly_are_decodable():
    labels = np.repeat([0, 1], 6)
    for seed in range(10):
        array = labelled(labels, effect=6.0, seed=seed)
        plan = design(array, n_folds=5, seed=seed)
        table, times = reference_tables(array, plan, DECODER, n_permutations=40, seed=seed)
        (row,) = table.itertuples()
        assert row.decodable
        assert row.p == row.smallest_p == pytest.approx(1 / 41)
        assert row.n_shuffles == 40
        assert times.accuracy.tolist() == pytest.approx([row.reference] * 3, abs=0.2)
        assert (times.null_low <= times.null_high).all()


def test_noise_is_decodable_in_five_per_cent_of_recordings():
    labels = np.repeat([0, 1], 6)
    p = []
    for seed in range(100):
        array = labelled(labels, seed=seed)
        plan = design(array, n_folds=3, seed=seed)
        table, _ = reference_tables(array, plan, DECODER, n_permutations=19, seed=seed)
        p.append(table.p.item())
    below = np.mean(np.array(p) <= SIGNIFICANT)
    assert below <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 100)
    assert np.mean(p) == pytest.approx(0.53, abs=0.08)


def test_too_few_shuffles_to_decide_give_a_message(caplog):
    array = labelled(np.repeat([0, 1], 2), effect=9.0)
    plan = design(array, n_folds=2, seed=0)
    table, _ = reference_tables(array, plan, DECODER, n_permutations=40, seed=0)
    (row,) = table.itertuples()
    assert (row.n_shuffles, row.smallest_p, row.decodable) == (2, pytest.approx(1 / 3), False)
    assert (
        "there are 2 distinct shuffles of its labels, so that p cannot be below 0.33" in caplog.text
    )
