"""A model's rows find the reference's; what does not match is said in one sentence."""

import unicodedata

import numpy as np
import pytest

from scorebounds.core.recording import recording
from scorebounds.scorecards.matching import match
from scorebounds.scorecards.samples import grouping_of

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
    (labelled("data", list("abcd")), labelled("model", list("abce")), ["word"], "none for 'd'"),
    (labelled("data", list("abcd")), labelled("model", list("abca")), ["word"], "more of 'a'"),
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


def named(side, names, shape=None, **labels):
    names = np.asarray(names)
    activity = RNG.normal(size=shape or (len(names), 3))
    return made(side, activity, {key: np.asarray(value) for key, value in labels.items()}, names)


@pytest.mark.parametrize(
    ("names", "others"),
    [
        (["1_11", "11_1", "1_1", "111"], ["1_11", "11_1", "1_1", "111"]),
        (["1e10", "10000000000", "2e3", "0x10"], ["1e10", "10000000000", "2e3", "0x10"]),
        (["12e45678", "9e999999", "1e999999", "7e123456"],) * 2,
        ([202401151200, 202401151201, 3, 4], [202401151200, 202401151201, 3, 4]),
        (["001", "01", "1", "1.0"], ["001", "01", "1", "1.0"]),
        ([1, 2, 3, 4], ["1", "2", "3", "4"]),
        ([1.0, 2.0, 3.0, 4.5], ["1", "2", "3", "4.5"]),
        (["im1", "im2 ", " im3", "im4"], ["im1  ", "im2", "im3", "im4\n"]),
        ([b"im1", b"im2", b"im3", b"im4"], ["im1", "im2", "im3", "im4"]),
        (["café", "a", "b", "c"], [unicodedata.normalize("NFD", "café"), "a", "b", "c"]),
    ],
)
def test_names_are_compared_as_text(names, others):
    order = [2, 0, 3, 1]
    model = named("model", np.asarray(others)[order])
    matched = match(named("data", names), model, "names")
    np.testing.assert_array_equal(
        matched.model[0, matched.condition], model.values[np.argsort(order)]
    )


def test_numbers_that_are_not_the_same_name_do_not_match():
    with pytest.raises(ValueError, match=r"got none for '001'; the nearest one is '1'"):
        match(named("data", ["001", "2", "3"]), named("model", ["1", "2", "3"]), "names")


@pytest.mark.parametrize(
    ("name", "other", "said"),
    [
        ("IM_1.png", "im_1.png", "got none for 'IM_1.png'; the nearest one is 'im_1.png'"),
        ("im_1", "im-1.jpg", "got none for 'im_1'; the nearest one is 'im-1.jpg'"),
        ("im\u200b1", "im1", r"got none for 'im\\u200b1'; the nearest one is 'im1'"),
    ],
)
def test_near_misses_are_shown_so_that_the_difference_is_seen(name, other, said):
    with pytest.raises(ValueError, match=said):
        match(named("data", [name, "b", "c"]), named("model", [other, "b", "c"]), "names")


def test_names_that_deny_the_order_are_refused_and_the_advice_works():
    reference, model = named("data", list("abcd")), named("model", list("dcba"))
    with pytest.raises(ValueError, match=r"disagree in 4 of 4 rows.*set `match: names`") as error:
        match(reference, model)
    assert "\n" not in str(error.value)
    by_name = match(reference, model, "names")
    np.testing.assert_array_equal(by_name.model[0, by_name.condition], model.values[::-1])
    in_order = match(reference, model, "order")
    np.testing.assert_array_equal(in_order.model[0], model.values)
    assert "disagree" in in_order.notes[0]


def test_names_of_files_that_deny_the_order_by_their_stems_are_refused():
    reference, model = named("data", ["a.png", "b.png", "c.png"]), named("model", list("cab"))
    with pytest.raises(ValueError, match=r"set `match: \{names: stem\}`"):
        match(reference, model)
    assert match(reference, named("model", list("abc"))).notes == ()


def test_labels_that_deny_the_order_are_refused():
    reference = made("data", RNG.normal(size=(4, 3)), {"side": np.array(list("lrlr"))})
    model = made("model", RNG.normal(size=(4, 3)), {"side": np.array(list("rlrl"))})
    with pytest.raises(ValueError, match=r"labels 'side' of both disagree.*match: \[side\]"):
        match(reference, model)


@pytest.mark.parametrize("labels", [list("lrlr"), ["left", "right"] * 2, [0, 1, 0, 1]])
def test_labels_of_other_words_or_the_same_deny_nothing(labels):
    reference = made("data", RNG.normal(size=(4, 3)), {"side": np.array(list("lrlr"))})
    model = made("model", RNG.normal(size=(4, 3)), {"side": np.array(labels)})
    assert match(reference, model).notes == ()


def timed(side, times, n=6, units="ms"):
    array = recording(RNG.normal(size=(len(times), n, 3)), time=np.asarray(times), time_units=units)
    return array.assign_attrs(dataset=side)


def test_times_that_contradict_each_other_are_refused_and_the_advice_works():
    reference, model = timed("data", [0, 50, 100]), timed("model", [5000, 5050, 5100])
    with pytest.raises(ValueError, match=r"0 to 100 ms, got 5000 to 5100 ms.*time: order"):
        match(reference, model)
    matched = match(reference, model, {"time": "order"})
    np.testing.assert_array_equal(matched.model, model.values)


@pytest.mark.parametrize(
    ("times", "units"), [([0, 50, 100], "ms"), ([0, 0.05, 0.1], "s"), ([10, 60, 110], "ms")]
)
def test_times_within_half_a_bin_are_the_same(times, units):
    assert match(timed("data", [0, 50, 100]), timed("model", times, units=units)).notes == ()


def test_a_model_without_times_is_repeated_or_compared_with_the_average():
    reference = timed("data", [0, 50, 100])
    model = made("model", RNG.normal(size=(6, 2)))
    with pytest.raises(ValueError, match=r"time: broadcast.*time: average"):
        match(reference, model)
    repeated = match(reference, model, {"time": "broadcast"})
    np.testing.assert_array_equal(repeated.model, np.stack([model.values] * 3))
    averaged = match(reference, model, {"time": "average"})
    np.testing.assert_allclose(averaged.reference[0], reference.values.mean(0))
    np.testing.assert_allclose(averaged.align(reference.values), averaged.reference)


def test_file_names_match_by_stem():
    reference = named("data", ["a/im_1.png", "im_2.PNG", "C:\\x\\im_3.jpg"])
    model = named("model", ["im_3", "im_1.npy", "out/im_2.pt"])
    matched = match(reference, model, {"names": "stem"})
    np.testing.assert_array_equal(matched.model[0, matched.condition], model.values[[1, 2, 0]])
    with pytest.raises(ValueError, match="each of the model's conditions once by names"):
        match(reference, named("model", ["im_1.a", "im_1.b", "im_2"]), {"names": "stem"})


def test_on_missing_intersect_drops_and_counts_rows_that_the_model_lacks():
    reference = named("data", list("abcdea"))
    model = named("model", list("edbx"))
    with pytest.raises(ValueError, match=r"got none for 'a'; 'c'.*on_missing: intersect"):
        match(reference, model, "names")
    matched = match(reference, model, {"names": "exact", "on_missing": "intersect"})
    assert matched.rows.tolist() == [1, 3, 4]
    np.testing.assert_array_equal(matched.reference[0], reference.values[[1, 3, 4]])
    np.testing.assert_array_equal(matched.model[0, matched.condition], model.values[[2, 1, 0]])
    np.testing.assert_array_equal(matched.align(reference.values), matched.reference)
    assert "scored on the 3 of 5 samples that the model has; left out 'a'; 'c'" in matched.notes[0]
    with pytest.raises(ValueError, match="at least 3 samples that both have, got 1 of 5"):
        match(
            reference, named("model", list("axyz")), {"names": "exact", "on_missing": "intersect"}
        )


def test_models_on_other_rows_of_the_recording_are_not_paired():
    reference = named("data", list("abcdef"))
    by = {"names": "exact", "on_missing": "intersect"}
    whole, first, second = (
        grouping_of(match(reference, named("model", list(names)), by))
        for names in ("abcdef", "abcd", "cdef")
    )
    assert len({whole, first, second}) == 3


@pytest.mark.parametrize("by", ["name", {"names": "prefix"}, {"on_missing": "skip"}, {"by": "x"}])
def test_unknown_ways_of_matching_are_refused(by):
    with pytest.raises(ValueError, match="match: expected"):
        match(named("data", list("abc")), named("model", list("abc")), by)


def test_many_names_are_matched():
    names = np.array([f"img_{number:06d}.png" for number in range(50_000)])
    reference, model = named("data", names), named("model", names[::-1])
    matched = match(reference, model, "names")
    np.testing.assert_array_equal(matched.model[0, matched.condition], model.values[::-1])


def test_signed_and_unsigned_numbers_of_many_digits_are_told_apart():
    numbers = 10**17 + np.arange(6)
    first, second = (
        recording(np.eye(6), names=names).assign_attrs(dataset="d")
        for names in (numbers, numbers[::-1].astype(np.uint64))
    )
    np.testing.assert_array_equal(match(first, second, "names").model[0], np.eye(6)[::-1])


def test_advice_for_names_that_have_nothing_in_common_works():
    def named(names):
        return recording(np.eye(6), names=np.array(names)).assign_attrs(dataset="d")

    images = named([f"im{number}" for number in range(6)])
    files = named([f"a/im{number}.png" for number in range(6)])
    with pytest.raises(ValueError, match=r"they agree: set match: \{names: stem\}"):
        match(images, files, "names")
    assert match(images, files, {"names": "stem"}).n_conditions == 6
    with pytest.raises(ValueError, match=r"none in common, so give both the same names$"):
        match(images, named([f"x{number}" for number in range(6)]), "names")


def test_a_label_with_the_name_of_an_axis_is_matched_by_its_own_name():
    labels = {"condition_label": np.arange(6)}
    first = recording(np.eye(6), labels).assign_attrs(dataset="d")
    second = first[::-1]
    np.testing.assert_array_equal(match(first, second, ["condition"]).model[0], np.eye(6))
