"""A model's rows find the reference's; what does not match is said in one sentence."""

import numpy as np
import pytest

from scorebounds.core.recording import recording
from scorebounds.scorecards.matching import match

RNG = np.random.default_rng(3)


def made(name, activity, labels=None, names=None):
    array = recording(activity, labels, names=names)
    return array.assign_attrs(dataset=name)


def test_rows_in_order_go_together():
    x, y = RNG.normal(size=(4, 6, 3)), RNG.normal(size=(4, 6, 2))
    matched = match(made("data", x), made("model", y))
    assert matched.condition.tolist() == list(range(6))
    np.testing.assert_array_equal(matched.model[:, matched.condition], y)
    assert not matched.has_trials


@pytest.mark.parametrize("by", ["names", ["word", "side"]])
def test_rows_are_found_by_name_or_labels_in_any_order(by):
    x, y = RNG.normal(size=(6, 3)), RNG.normal(size=(7, 2))
    order = np.array([3, 0, 6, 2, 5, 1])
    words, sides = np.array(list("abcdefg")), np.arange(7) % 2
    reference = made("data", x, {"word": words[order], "side": sides[order]}, words[order])
    # Numbers that are written otherwise are the same.
    model = made("model", y, {"word": words, "side": sides.astype(float)}, words)
    matched = match(reference, model, by)
    np.testing.assert_array_equal(matched.model[0, matched.condition], y[order])


def test_trials_share_the_row_of_their_condition():
    targets = np.array([0, 1, 1, 0, 2, 2, 2])
    reference = made("data", RNG.normal(size=(5, 7, 3)), {"target": targets})
    y = RNG.normal(size=(5, 4, 2))
    matched = match(reference, made("model", y, {"target": np.array([3, 2, 1, 0])}), ["target"])
    np.testing.assert_array_equal(matched.model[:, matched.condition], y[:, 3 - targets])
    assert matched.n_conditions == 3
    assert matched.has_trials


def labelled(name, labels, shape=(4, 3)):
    return made(name, RNG.normal(size=shape), {"word": np.array(labels)})


WRONG = [
    (labelled("data", list("abcd")), labelled("model", list("abc"), (3, 3)), "order", "4 samples"),
    (labelled("data", list("abcd")), labelled("model", list("abce")), ["word"], "none for d"),
    (labelled("data", list("abcd")), labelled("model", list("abca")), ["word"], "more of a"),
    (labelled("data", list("abcd")), labelled("model", list("abcd")), ["wrod"], "a label 'wrod'"),
    (labelled("data", list("abcd")), labelled("model", list("abcd")), "names", "have names"),
    (
        labelled("data", list("abcd"), (5, 4, 3)),
        labelled("model", list("abcd"), (6, 4, 3)),
        "order",
        "expected 5 times, as the reference has, got 6 times",
    ),
    (
        labelled("data", list("abcd"), (5, 4, 3)),
        labelled("model", list("abcd")),
        "order",
        "expected 5 times, as the reference has, got samples without times",
    ),
]


@pytest.mark.parametrize(("reference", "model", "by", "said"), WRONG)
def test_what_does_not_match_is_said(reference, model, by, said):
    with pytest.raises(ValueError, match="model 'model' for 'data': expected") as error:
        match(reference, model, by)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
