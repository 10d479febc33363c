"""Arrays without names of axes or columns: what is read, and what is asked about."""

import h5py
import numpy as np
import pytest
import scipy.io
import torch

from scorebounds.datasets.readers import custom
from scorebounds.datasets.readers.odd import (
    doubt_of_minus_one,
    label_planes,
    mark_of_missing,
    odd_columns,
)

RNG = np.random.default_rng(5)
DECIMALS = RNG.normal(size=(60, 8))
COUNTS = RNG.poisson(6, size=(60, 8))
REPEATS = DECIMALS + 0.1 * RNG.normal(size=(4, 60, 8))
COURSE = np.cumsum(RNG.normal(size=(15, 20, 8)), axis=0)
NAMES = np.array([f"im{number}" for number in range(60)])


def write(path, values):
    """Write an array with the library of the format."""
    if path.suffix == ".npy":
        np.save(path, values)
    elif path.suffix == ".mat":
        scipy.io.savemat(path, {"activity": values})
    elif path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            file["activity"] = values
    elif path.suffix == ".pt":
        torch.save(torch.tensor(values), path)
    else:
        np.savetxt(path, values, delimiter=",", fmt="%.17g")


STRANGE = {
    "number of the row": np.arange(60),
    "identifiers": RNG.permutation(60) * 17 + 1000,
    "classes": np.repeat(np.arange(6), 10),
    "classes in turn": np.tile(np.arange(3), 20),
    "classes in random order": RNG.permutation(np.repeat(np.arange(6), 10)),
    "stimuli in random order": RNG.permutation(np.repeat(np.arange(15), 4)),
    "trials without some": np.sort(RNG.choice(300, 60, replace=False)),
    "times": 1.6e9 + np.cumsum(RNG.exponential(size=60)),
}


@pytest.mark.parametrize("name", ["d.npy", "d.mat", "d.h5", "d.pt", "d.csv"])
@pytest.mark.parametrize("kind", STRANGE)
@pytest.mark.parametrize("neurons", [DECIMALS, COUNTS], ids=["decimals", "counts"])
def test_a_column_that_is_no_neuron_is_asked_about_and_the_advice_works(
    tmp_path, name, kind, neurons
):
    write(tmp_path / name, np.insert(neurons.astype(float), 3, STRANGE[kind], axis=1))
    with pytest.raises(ValueError, match=r"is a neuron: .*columns: \{\"?3\"?: ignore\}"):
        custom.load(tmp_path / name)
    for role, n_neurons in (("ignore", 8), ("neuron", 9), ("label", 8), ("name", 8)):
        if kind == "times" and role == "label":
            continue
        array = custom.load(tmp_path / name, columns={"3": role})
        assert array.shape == (60, n_neurons)
        if role != "neuron":
            np.testing.assert_array_equal(array.values, neurons)
        assert ("row_name" in array.coords) == (role == "name")
        assert len(array.attrs["variables"]) == (role == "label")


def test_all_columns_in_question_are_listed_at_once(tmp_path):
    labels = np.column_stack([np.arange(60), np.repeat(np.arange(6), 10)])
    np.save(tmp_path / "d.npy", np.hstack([labels, DECIMALS]))
    with pytest.raises(ValueError, match=r"nor of 1 others.*columns: \{0: ignore, 1: ignore\}"):
        custom.load(tmp_path / "d.npy")
    array = custom.load(tmp_path / "d.npy", columns={0: "name", 1: "label"})
    np.testing.assert_array_equal(array.values, DECIMALS)
    assert array.attrs["variables"] == ["column_1"]
    assert array.row_name.values.tolist() == list(range(60))


def test_columns_that_are_not_there_are_refused(tmp_path):
    np.save(tmp_path / "d.npy", DECIMALS)
    with pytest.raises(ValueError, match="got no '8'"):
        custom.load(tmp_path / "d.npy", columns={8: "ignore"})


def activity_of_many_kinds(seed):
    """Draw activity as recordings and networks have it."""
    rng = np.random.default_rng(seed)
    n_rows, n_neurons = rng.integers(8, 200), rng.integers(3, 100)
    rates = rng.gamma(0.7, 3, n_neurons) * np.exp(rng.normal(size=(n_rows, n_neurons)) / 2)
    yield rng.poisson(rates)
    yield rng.poisson(rates) > 1
    yield rng.poisson(100 * rates)
    yield rng.poisson(5 * rates) / 5
    yield np.round(rates, 1)
    yield np.maximum(rng.normal(size=rates.shape) - 1, 0)
    yield np.tanh(3 * rng.normal(size=rates.shape))
    yield rng.normal(size=rates.shape).astype(np.float16)
    # Slow neurons in time, some of which rise all the time.
    yield np.cumsum(rng.normal(size=rates.shape) + np.linspace(0, 0.5, n_neurons), axis=0)


@pytest.mark.parametrize("seed", range(8))
def test_neurons_are_not_asked_about(seed):
    for activity in activity_of_many_kinds(seed):
        assert odd_columns(activity) == []
        assert mark_of_missing(activity) is None
        assert doubt_of_minus_one(activity) is None


def test_a_unit_that_fires_rarely_is_a_neuron():
    values = DECIMALS.copy()
    values[:, 2] = 0
    values[[4, 30], 2] = 1
    assert odd_columns(values) == []


def test_a_plane_of_labels_is_asked_about(tmp_path):
    course = COURSE.copy()
    course[..., 2] = np.arange(20) % 4
    assert [column for column, _ in label_planes(course)] == [2]
    assert label_planes(COURSE) == []
    np.save(tmp_path / "d.npy", course)
    entry = {"axes": ["time", "condition", "neuron"]}
    with pytest.raises(ValueError, match="are the same at all times; say it in the entry"):
        custom.load(tmp_path / "d.npy", **entry)
    array = custom.load(tmp_path / "d.npy", columns={"2": "label"}, **entry)
    np.testing.assert_array_equal(array.values, np.delete(COURSE, 2, axis=-1))
    assert array.column_2.values.tolist() == (np.arange(20) % 4).tolist()


@pytest.mark.parametrize("mark", [-999, -99, -9999, 99999, 9.969209968386869e36])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_mark_of_missing_values_is_asked_about(tmp_path, mark, dtype):
    values = DECIMALS.astype(dtype)
    values[[3, 9], [1, 5]] = mark
    np.save(tmp_path / "d.npy", values)
    with pytest.raises(ValueError, match=r"in 2 places, far from all other numbers; replace it"):
        custom.load(tmp_path / "d.npy")
    values[values == dtype(mark)] = np.nan
    np.save(tmp_path / "d.npy", values)
    assert custom.load(tmp_path / "d.npy", drop=["missing_trials"]).shape == (58, 8)


AXES = [
    (REPEATS, {}),
    (REPEATS, {"image": NAMES}),
    (REPEATS, {"category": np.arange(60) % 3}),
    (RNG.normal(size=(4, 60, 8)), {}),
    (RNG.normal(size=(4, 60, 8)), {"image": NAMES}),
    (COURSE.transpose(1, 0, 2), {}),
    (COURSE.transpose(2, 1, 0), {}),
    (COURSE.transpose(2, 1, 0), {"side": np.arange(20) % 2}),
    (RNG.normal(size=(60, 8, 5)), {"times": np.arange(5)}),
    (RNG.normal(size=(60, 8, 1)), {}),
]


@pytest.mark.parametrize(("values", "others"), AXES)
def test_three_axes_that_may_be_others_are_asked_about(tmp_path, values, others):
    np.savez(tmp_path / "d.npz", activity=values, **others)
    with pytest.raises(ValueError, match=r"axes"):
        custom.load(tmp_path / "d.npz")
    array = custom.load(tmp_path / "d.npz", axes=["trial", "condition", "neuron"])
    n_rows = values.shape[0] * values.shape[1]
    assert array.shape == (n_rows, values.shape[2])


@pytest.mark.parametrize(
    ("values", "others", "said"),
    [
        (COURSE, {}, "values change slowly along the first one only"),
        (
            RNG.normal(size=(4, 10, 3)),
            {"choice": np.arange(10) % 2},
            "the second one has labels or names",
        ),
        (RNG.normal(size=(4, 10, 3)), {"times": np.arange(4)}, ""),
        (RNG.normal(size=(4, 10, 3)), {"bin_centres": np.arange(4)}, ""),
    ],
)
def test_times_conditions_and_neurons_are_read_where_something_says_so(
    tmp_path, caplog, values, others, said
):
    np.savez(tmp_path / "d.npz", activity=values, **others)
    array = custom.load(tmp_path / "d.npz")
    assert array.dims == ("time", "condition", "neuron")
    np.testing.assert_array_equal(array.values, values)
    assert said in array.attrs["history"]
    assert said in caplog.text


def test_names_in_the_entry_say_what_the_second_axis_is(tmp_path):
    np.savez(tmp_path / "d.npz", activity=RNG.normal(size=(4, 60, 8)), word=NAMES)
    array = custom.load(tmp_path / "d.npz", names="word")
    assert array.dims == ("time", "condition", "neuron")
    np.savez(tmp_path / "d.npz", activity=REPEATS, word=NAMES)
    with pytest.raises(ValueError, match="cannot tell what the axes of 'activity'"):
        custom.load(tmp_path / "d.npz", names="word")


def test_a_table_of_labels_says_what_the_second_axis_is(tmp_path):
    np.save(tmp_path / "d.npy", RNG.normal(size=(4, 6, 3)))
    (tmp_path / "trials.csv").write_text("side\n" + "left\nright\n" * 3)
    array = custom.load(tmp_path / "d.npy", labels=str(tmp_path / "trials.csv"))
    assert array.dims == ("time", "condition", "neuron")


@pytest.mark.parametrize("reliability", [0.2, 0.4])
def test_weakly_correlated_repeats_are_not_taken_as_times(tmp_path, reliability):
    rng = np.random.default_rng(1)
    signal = np.sqrt(reliability) * rng.normal(size=(60, 8))
    values = signal + np.sqrt(1 - reliability) * rng.normal(size=(6, 60, 8))
    np.savez(tmp_path / "d.npz", activity=values, category=np.arange(60) % 3)
    with pytest.raises(ValueError, match="cannot tell what the axes of 'activity'"):
        custom.load(tmp_path / "d.npz")


def test_labels_that_fit_two_axes_are_said(tmp_path, caplog):
    square = RNG.normal(size=(20, 20))
    np.savez(tmp_path / "d.npz", activity=square, category=np.arange(20) % 2)
    said = "so that its labels fit two axes; they were taken as those of axis 0"
    array = custom.load(tmp_path / "d.npz")
    assert said in caplog.text
    assert said in array.attrs["history"]
    np.testing.assert_array_equal(array.values, square)
    caplog.clear()
    turned = custom.load(tmp_path / "d.npz", axes=["neuron", "sample"])
    np.testing.assert_array_equal(turned.values, square.T)
    assert "two axes" not in caplog.text
    np.savez(tmp_path / "d.npz", activity=square)
    custom.load(tmp_path / "d.npz")
    assert "two axes" not in caplog.text
    course = RNG.normal(size=(4, 20, 20))
    np.savez(tmp_path / "d.npz", activity=course, choice=np.arange(20) % 2, times=np.arange(4))
    custom.load(tmp_path / "d.npz")
    assert "taken as those of axis 1" in caplog.text


def test_rows_of_neurons_over_time_are_said(tmp_path, caplog):
    traces = np.cumsum(RNG.normal(size=(12, 300)), axis=1)
    np.save(tmp_path / "d.npy", traces)
    custom.load(tmp_path / "d.npy")
    assert "if they are times, say axes: [neuron, time]" in caplog.text
    caplog.clear()
    np.testing.assert_array_equal(
        custom.load(tmp_path / "d.npy", axes=["neuron", "time"]).values, traces.T
    )
    np.save(tmp_path / "d.npy", traces.T)
    custom.load(tmp_path / "d.npy")
    assert not caplog.text


@pytest.mark.parametrize("name", ["d.npy", "d.csv"])
@pytest.mark.parametrize("mark", [-1, -9])
def test_one_negative_number_among_counts_is_said(tmp_path, caplog, name, mark):
    values = COUNTS.astype(float)
    values[[3, 9], [1, 5]] = mark
    write(tmp_path / name, values)
    array = custom.load(tmp_path / name)
    said = f"the only negative number is {mark}, in 2 places"
    assert said in caplog.text
    assert said in array.attrs["history"]
    differences = RNG.poisson(2, size=(60, 8)) - RNG.poisson(2, size=(60, 8))
    assert doubt_of_minus_one(differences) is None


def test_a_label_with_a_mark_of_missing_values_is_left_out(tmp_path, caplog):
    choice = np.where(np.arange(60) == 7, -999, np.arange(60) % 2)
    np.savez(tmp_path / "d.npz", activity=DECIMALS, choice=choice, side=np.arange(60) % 3 - 1)
    assert custom.load(tmp_path / "d.npz").attrs["variables"] == ["side"]
    assert "'choice' is no label: -999 stands for missing values in 1 rows" in caplog.text


def test_a_rarely_active_unit_that_ends_as_it_begins_is_a_neuron():
    values = COUNTS.copy()
    values[:, 2] = 0
    values[[1, 4, 20, 41, 44], 2] = [1, 2, 3, 1, 2]
    values[:, 3] = np.tile(RNG.permutation(15), 4)
    assert [column for column, _ in odd_columns(values)] == [3]


@pytest.mark.parametrize("times", ["time", "unit.time", "bin_centres"])
def test_bin_centres_of_the_columns_are_asked_about(tmp_path, times):
    values = RNG.normal(size=(12, 30))
    others = {times: np.arange(30) * 0.05, "n_spikes": np.arange(30) % 7}
    np.savez(tmp_path / "d.npz", activity=values, **others)
    with pytest.raises(ValueError, match=r"rising numbers '.*' for its 30 columns"):
        custom.load(tmp_path / "d.npz")
    for axes, read in ((["neuron", "time"], values.T), (["sample", "neuron"], values)):
        array = custom.load(tmp_path / "d.npz", axes=axes)
        np.testing.assert_array_equal(array.values, read)


def test_the_report_says_which_axis_holds_the_samples_and_why(tmp_path):
    np.save(tmp_path / "d.npy", DECIMALS)
    said = custom.load(tmp_path / "d.npy").attrs["history"]
    assert (
        "took axis 0, of 60, as samples and axis 1, of 8, as neurons, as usual; nothing in" in said
    )
    np.savez(tmp_path / "d.npz", activity=DECIMALS, image=NAMES)
    said = custom.load(tmp_path / "d.npz").attrs["history"]
    assert "as neurons, because 'image' has as many values" in said
    said = custom.load(tmp_path / "d.npz", axes=["sample", "neuron"]).attrs["history"]
    assert "took axis" not in said


@pytest.mark.parametrize("name", ["F.npy", "Fneu.npy", "spks.npy"])
def test_traces_of_suite2p_need_axes(tmp_path, name):
    np.save(tmp_path / name, DECIMALS.T)
    with pytest.raises(ValueError, match=r"say axes: \[neuron, time\]"):
        custom.load(tmp_path / name)
    array = custom.load(tmp_path / name, axes=["neuron", "time"])
    np.testing.assert_array_equal(array.values, DECIMALS)


@pytest.mark.parametrize("name", ["iscell.npy", "renamed.npy"])
def test_flags_and_probabilities_of_cells_are_no_activity(tmp_path, name):
    probability = RNG.random(60)
    np.save(tmp_path / name, np.column_stack([probability > 0.5, probability]))
    with pytest.raises(ValueError, match=r"which ROIs are cells|column 0, .*is a neuron"):
        custom.load(tmp_path / name)
