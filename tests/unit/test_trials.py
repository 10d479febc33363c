"""Trials and conditions as axes of a recording: a model has a row for each condition."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import scorebounds as sb
from scorebounds.datasets.readers import custom
from scorebounds.scorecards.matching import match

RNG = np.random.default_rng(11)
N_TRIALS, N_CONDITIONS, N_NEURONS = 3, 12, 5
MODEL = RNG.normal(size=(N_CONDITIONS, 4))
SIGNAL = MODEL @ RNG.normal(size=(4, N_NEURONS))
TRIALS = SIGNAL + 0.3 * RNG.normal(size=(N_TRIALS, N_CONDITIONS, N_NEURONS))
NAMES = [f"im{number}" for number in range(N_CONDITIONS)]
DIMS = ("trial", "condition", "neuron")


def labelled(values, dims=DIMS, **coords):
    return xr.DataArray(values, dims=dims, coords=coords)


@pytest.mark.parametrize("dims", [DIMS, ("condition", "neuron", "trial"), ("unit", "rep", "image")])
def test_all_trials_of_a_condition_belong_to_its_row_of_the_model(dims):
    axis_of = {"unit": "neuron", "rep": "trial", "image": "condition"}
    order = [DIMS.index(axis_of.get(dim, dim)) for dim in dims]
    score = sb.score(labelled(TRIALS.transpose(order), dims), MODEL)
    assert score == pytest.approx(sb.score(TRIALS.mean(axis=0), MODEL), abs=1e-12)


def test_a_file_with_both_axes_is_matched_like_an_array(tmp_path):
    np.save(tmp_path / "trials.npy", TRIALS)
    read = sb.read(tmp_path / "trials.npy", axes=list(DIMS))
    assert read.shape == (N_TRIALS * N_CONDITIONS, N_NEURONS)
    card = sb.card(read, MODEL, ["cka"], n_permutations=19)
    same = sb.card(labelled(TRIALS), MODEL, ["cka"], n_permutations=19)
    assert card.table.score[0] == same.table.score[0]
    assert card.table.n_trials[0] == len(read)
    assert card.table.ceiling.notna().all()
    assert card.table.exchange[0] == "permutations"


def test_trials_that_fill_up_the_array_are_left_out(tmp_path):
    padded = TRIALS.copy()
    padded[1:, 4] = np.nan
    padded[:, 7] = np.nan
    means = [np.nanmean(padded[:, place], axis=0) for place in range(N_CONDITIONS) if place != 7]
    expected = sb.score(np.stack(means), np.delete(MODEL, 7, axis=0))
    assert sb.score(labelled(padded), MODEL) == pytest.approx(expected, abs=1e-12)
    np.save(tmp_path / "padded.npy", padded)
    read = custom.load(tmp_path / "padded.npy", axes=DIMS)
    matched = match(read.assign_attrs(dataset="x"), read[:12].assign_attrs(dataset="y"))
    assert matched.n_conditions == N_CONDITIONS - 1
    assert np.bincount(matched.condition).tolist() == [3, 3, 3, 3, 1, *[3] * 6]


def test_times_stay_times():
    course = np.stack([TRIALS, 2 * TRIALS])
    score = sb.scores(
        labelled(course, ("time", *DIMS)), {"m": MODEL}, ["cka"], match={"time": "average"}
    )
    assert score.score[0] == pytest.approx(sb.score(1.5 * TRIALS.mean(axis=0), MODEL), abs=1e-12)


def test_names_of_conditions_that_contradict_their_order_are_refused():
    x = labelled(TRIALS, condition=NAMES)
    y = labelled(MODEL, ("condition", "unit"), condition=NAMES[::-1])
    with pytest.raises(ValueError, match="'im0' and 'im11' in row 0"):
        sb.score(x, y)
    by_name = sb.score(x, y, match="names")
    assert by_name == pytest.approx(sb.score(TRIALS.mean(axis=0), MODEL[::-1]), abs=1e-12)
    assert sb.score(x, y[::-1]) == pytest.approx(by_name, abs=1e-12)


def test_another_number_of_rows_is_refused_with_both_numbers():
    expected = "a row for each of 12 conditions, or for each of 36 trials, got 11"
    with pytest.raises(ValueError, match=expected):
        sb.score(labelled(TRIALS), MODEL[:-1])


def test_averages_by_a_label_are_conditions_of_their_own(tmp_path):
    cue = np.arange(N_CONDITIONS) % 4
    np.savez(tmp_path / "trials.npz", activity=TRIALS, cue=cue)
    read = custom.load(tmp_path / "trials.npz", axes=DIMS, average_by=["cue"])
    model = labelled(MODEL[:4], ("condition", "unit")).to_numpy()
    means = np.stack([TRIALS[:, cue == each].mean(axis=(0, 1)) for each in range(4)])
    assert sb.score(read, model) == pytest.approx(sb.score(means, model), abs=1e-12)


def test_axes_of_trials_without_names_are_asked_about_and_the_advice_works():
    with pytest.raises(ValueError, match="if its first axis holds trials, name the axes: trial, c"):
        sb.score(TRIALS, MODEL)
    means = sb.score(TRIALS.mean(axis=0), MODEL)
    assert sb.score(labelled(TRIALS), MODEL) == pytest.approx(means, abs=1e-12)


def test_models_of_other_trials_are_asked_about_and_the_advice_works():
    models = RNG.normal(size=(2, N_CONDITIONS, 4))
    with pytest.raises(ValueError, match=r"name the axes: .* average the model over its trials"):
        sb.score(TRIALS, models)
    assert np.isfinite(sb.score(labelled(TRIALS), models.mean(axis=0)))


@pytest.mark.parametrize("shape", [(N_CONDITIONS, N_TRIALS), (N_CONDITIONS * N_TRIALS,)])
def test_bare_arrays_of_unequal_rows_are_asked_about_trials_and_the_advice_works(shape):
    """Conditions along the first axis: trials along the second, or rows sorted by condition."""
    bare = TRIALS.swapaxes(0, 1).reshape(*shape, N_NEURONS)
    for call in (sb.score, lambda x, y: sb.card(x, y, ["cka"], n_permutations=19)):
        with pytest.raises(ValueError, match="trial, condition and neuron"):
            call(bare, MODEL)
    rows, names = bare.reshape(-1, N_NEURONS), np.repeat(NAMES, N_TRIALS)
    by_name = pd.DataFrame(rows, index=names), pd.DataFrame(MODEL, index=NAMES)
    trials = labelled(TRIALS.swapaxes(0, 1), ("condition", "trial", "neuron"))
    means = sb.score(TRIALS.mean(axis=0), MODEL)
    assert sb.score(trials, MODEL) == pytest.approx(means, abs=1e-12)
    assert sb.score(*by_name, match="names") == pytest.approx(means, abs=1e-12)


def test_rows_without_names_are_not_matched_by_name_and_the_message_says_how():
    with pytest.raises(ValueError, match=r"names .`names` of an entry, index of a DataFrame."):
        sb.score(TRIALS[0], MODEL, match="names")


def test_two_conditions_are_refused_with_the_reason():
    """In whatever way they are given."""
    said = "with two, every model scores as a copy would: take more conditions, or decode the two"
    two = RNG.normal(size=(2, 4))
    for x in (TRIALS[:, :2], labelled(TRIALS[:, :2]), TRIALS[0], TRIALS[0, :2]):
        with pytest.raises(ValueError, match=said):
            sb.card(x, two, ["cka"])
    of_trials = np.repeat(two, 30, axis=0)
    table = sb.card(RNG.normal(size=(60, 5)), of_trials, ["cka", "linreg"], n_permutations=19).table
    assert table.note.str.contains(said).all()
    assert table.score.isna().all()
