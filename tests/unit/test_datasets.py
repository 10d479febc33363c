"""Datasets that are made, read, or brought by the user."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
import scipy.io

from helpers.recordings import load, size_in_catalogue, write_unit
from helpers.workflow import ROOT
from scorebounds.core.recording import (
    read_recording,
    recording,
    samples_by_neurons,
    write_recording,
)
from scorebounds.datasets import loaders, mante2013_subset, pickles, surrogates, zhang2011
from scorebounds.datasets.made import simulated_pfc, ultrametric
from scorebounds.decoding.decoder import Decoder, decode
from scorebounds.decoding.design import design

SHARES = {
    "time": 0.3,
    "choice": 0.27,
    "motion": 0.15,
    "colour": 0.12,
    "context": 0.01,
    "residual": 0.15,
}


def test_ultrametric_distances_are_nested():
    array = ultrametric.make(np.random.default_rng(0))
    assert array.shape == (100, 50)
    assert set(np.unique(array)) == {0.0, 1.0}
    assert np.bincount(array.category.values).tolist() == [10] * 10
    many = np.concatenate(
        [ultrametric.make(np.random.default_rng(seed)).values for seed in range(40)], 1
    )
    distance = np.mean(many[:, None] != many[None], axis=2)
    leaf = np.arange(100)
    same_branch = leaf[:, None] // 10 == leaf // 10
    same_half = leaf[:, None] // 50 == leaf // 50
    within = distance[same_branch & (leaf[:, None] != leaf)].mean()
    between = distance[same_half & ~same_branch].mean()
    across = distance[~same_half].mean()
    # A resampled bit changes with probability 0.1; two leaves differ if an odd number did.
    assert within == pytest.approx((1 - 0.8**2) / 2, abs=0.02)
    assert between == pytest.approx((1 - 0.8**4) / 2, abs=0.02)
    assert across == pytest.approx((1 - 0.8**6) / 2, abs=0.03)


def test_each_task_variable_carries_its_share():
    array = simulated_pfc.make(np.random.default_rng(0), n_neurons=100, variance_shares=SHARES)
    assert array.shape == (15, 72, 100)
    assert array.attrs["units"] == "Hz"
    none = dict.fromkeys(SHARES, 0.0)
    total = array.values.var((0, 1)).sum()
    for variable in SHARES:
        alone = simulated_pfc.make(
            np.random.default_rng(0), n_neurons=100, variance_shares={**none, variable: 1.0}
        )
        carried = (alone.values - alone.values.mean((0, 1))).var((0, 1)).sum()
        # On its own a variable has the whole variance, on one axis unless it is the residual.
        assert carried == pytest.approx(36 * 100)
        flat = samples_by_neurons(alone)
        axes = (np.linalg.svd(flat - flat.mean(0))[1] > 1e-6).sum()
        assert axes == (100 if variable == "residual" else 1)
    assert total == pytest.approx(36 * 100, rel=0.1)


def test_choice_follows_the_relevant_evidence():
    array = simulated_pfc.make(np.random.default_rng(0), n_neurons=10, variance_shares=SHARES)
    motion_right = array.motion.values == "right"
    green = array.colour.values == "green"
    relevant = np.where(array.context.values == "motion", motion_right, green)
    assert ((array.choice.values == "right") == relevant).all()
    for variable in set(simulated_pfc.TASK_VARIABLES) - {"time"}:
        assert np.unique(array[variable].values, return_counts=True)[1].tolist() == [36, 36]


@pytest.mark.parametrize("shares", [{**SHARES, "time": 0.5}, {"time": 1.0}])
def test_shares_have_to_be_all_there_and_sum_to_one(shares):
    with pytest.raises(ValueError, match="sum to 1, got"):
        simulated_pfc.make(np.random.default_rng(0), n_neurons=10, variance_shares=shares)


def test_same_seed_same_dataset():
    assert load("ultrametric").equals(load("ultrametric"))
    other = loaders.load("ultrametric", [], seed=1, settings={}, custom=False)
    assert not other.equals(load("ultrametric"))


@pytest.mark.parametrize("names", [(), ("side",), ("side", "cue")])
def test_names_of_labels_are_a_list_before_and_after_storage(tmp_path, names):
    array = recording(np.eye(4), dict.fromkeys(names, np.arange(4)))
    assert array.attrs["variables"] == list(names)
    write_recording(tmp_path / "d.nc", array, "d")
    assert read_recording(tmp_path / "d.nc").attrs["variables"] == list(names)


@pytest.mark.parametrize(
    ("name", "files", "said"),
    [
        ("lab2026-trials", ["a.mat"], "write workflow/scripts/scorebounds/datasets/lab2026_trials"),
        ("lab2026", [], "write workflow/scripts/scorebounds/datasets/made/lab2026.py with the"),
        ("matlab", ["a.mat"], "expected workflow/scripts/scorebounds/datasets/matlab.py to define"),
    ],
)
def test_loader_that_is_missing_is_named(name, files, said):
    with pytest.raises(ValueError, match=said):
        load(name, files)


def test_surrogate_has_exactly_the_spectrum():
    spectrum = np.array([0.5, 0.3, 0.15, 0.05])
    activity = surrogates.spectrum_surrogate(np.random.default_rng(0), spectrum, 30)
    assert activity.shape == (30, 4)
    assert activity.mean(0) == pytest.approx(np.zeros(4), abs=1e-12)
    eigenvalues = np.linalg.svd(activity, compute_uv=False) ** 2
    assert eigenvalues / eigenvalues.sum() == pytest.approx(spectrum)
    assert activity.var() == pytest.approx(1)
    with pytest.raises(ValueError, match="more samples than the 4 components"):
        surrogates.spectrum_surrogate(np.random.default_rng(0), spectrum, 4)


@pytest.mark.parametrize(
    ("name", "n_components"), [("Mante2013", 727), ("siegel15-FEF-stim_period-var99", 278)]
)
def test_surrogates_that_are_downloaded_are_made_of_files_of_their_size(
    tmp_path, name, n_components
):
    spectrum = 1 / np.arange(1.0, n_components + 1)
    columns = {
        "scores_at_threshold": 0.5,
        "pc_explained_variance": np.tile(spectrum / spectrum.sum(), 2),
        "measure": np.repeat(["cka", "nbs"], n_components),
        "dataset": name,
    }
    path = tmp_path / "scores_at_threshold.csv"
    pd.DataFrame(columns).to_csv(path)
    made = load(f"surrogate-{name}", [path])
    activity = made.to_numpy().reshape(-1, n_components)
    assert len(activity) == surrogates.PUBLISHED_SAMPLES[name]
    values = np.linalg.svd(activity, compute_uv=False) ** 2
    np.testing.assert_allclose(values / values.sum(), spectrum / spectrum.sum(), rtol=1e-8)


def test_surrogate_of_a_published_dataset(mirror):
    folder = mirror / "cloos2025-published" / "FreemanZiemba2013"
    array = load("surrogate-FreemanZiemba2013", [folder / "scores_at_threshold.csv"])
    assert array.shape == (270, 205)
    assert array.size == size_in_catalogue("cloos2025-published", "FreemanZiemba2013/")
    eigenvalues = np.linalg.svd(array.values, compute_uv=False) ** 2
    published = pd.read_csv(folder / "scores_at_threshold.csv").query("measure == 'nbs'")
    assert eigenvalues / eigenvalues.sum() == pytest.approx(
        published.pc_explained_variance.to_numpy(), rel=1e-6
    )


def test_mante_units_are_averaged_matched_by_rank_and_dropped(tmp_path):
    def rates(choice, direction, colour, context):
        return int(22 + 2 * choice + 10 * np.sign(direction) + context)

    write_unit(tmp_path / "a.mat", rates)
    write_unit(tmp_path / "b.mat", rates, levels=(0.03, 0.12, 0.6))
    write_unit(tmp_path / "c.mat", rates, drop=1)
    array = mante2013_subset.load(sorted(tmp_path.glob("*.mat")))
    assert array.shape == (15, 72, 2)
    assert array.time.values.tolist() == list(range(125, 875, 50))
    first_bin = array.values[0, :, 0]
    assert np.array_equal(array.values[..., 0], array.values[..., 1])
    preferred = {name: array[name].values == "preferred" for name in ("choice", "motion")}
    context = np.where(array.context.values == "motion", 1, -1)
    signs = {name: 2 * values - 1 for name, values in preferred.items()}
    count = 22 + 2 * signs["choice"] + 10 * signs["motion"] + context
    # Two correct trials, the second with a spike more, in a bin of 50 ms.
    assert first_bin == pytest.approx(1000 / 50 * (count + 0.5))


def test_mante_subset(mirror):
    array = load("mante2013-subset", (mirror / "mante2013-subset").glob("*.mat"))
    assert array.shape == (15, 72, 19)
    assert array.size == size_in_catalogue("mante2013-subset")
    assert array.values.mean() == pytest.approx(16.7, abs=0.05)
    for variable in ("choice", "motion", "colour", "context"):
        assert np.unique(array[variable], return_counts=True)[1].tolist() == [36, 36]
    plan = design(array.assign_attrs(dataset="mante2013-subset"), n_folds=5, seed=0)
    accuracy = decode(samples_by_neurons(array)[None], plan, Decoder(c=1.0, standardize=True))
    known = {"choice": 0.86, "motion": 0.70, "colour": 0.64, "context": 0.83}
    for variable, value in known.items():
        assert accuracy[variable].mean() == pytest.approx(value, abs=0.04)


def test_hatsopoulos_averages(mirror):
    (path,) = (mirror / "hatsopoulos2007-averages").iterdir()
    array = load("hatsopoulos2007-averages", [path])
    assert array.shape == (121, 8, 141)
    assert array.size == size_in_catalogue("hatsopoulos2007-averages")
    assert array.values.mean() == pytest.approx(3.55, abs=0.005)
    assert array.values.max() == pytest.approx(93.3, abs=0.05)
    assert (array.time.values[0], array.time.values[-1]) == (-800, 400)
    plan = design(array.assign_attrs(dataset="averages"), n_folds=5, seed=0)
    assert plan.samples.shape == (1, 41 * 8)
    decoder = Decoder(c=1.0, standardize=True)
    accuracy = decode(samples_by_neurons(array)[None], plan, decoder)["target"].item()
    assert accuracy == pytest.approx(0.997, abs=0.01)


def test_dyer_whole_trials(mirror):
    path = mirror / "dyer2017" / "chewie_demo.mat"
    array = load("dyer2017", [path])
    assert array.shape == (24, 96, 71)
    assert array.size == size_in_catalogue("dyer2017")
    targets, counts = np.unique(array.target.values, return_counts=True)
    assert targets.tolist() == [-90, -45, 0, 90]
    assert counts.tolist() == [24, 21, 24, 27]
    stored = scipy.io.loadmat(path)
    assert (array.values[:, 0] == stored["Ytr"][7:31]).all()
    assert (array.values[:, 37] == stored["Ytr"][37 * 31 + 7 : 38 * 31]).all()
    assert (array.values[:, 38] == stored["Yte"][20 + 7 : 20 + 31]).all()
    assert (array.values[-1, -1] == stored["Yte"][-1]).all()
    # The hand moves where the target says.
    velocity = np.concatenate([stored["Xtr"][: 38 * 31], stored["Xte"][20:]])
    mean = velocity.reshape(96, 31, 2).mean(1)
    for target in targets:
        x, y = mean[array.target.values == target].mean(0)
        angle = np.degrees(np.arctan2(y, x))
        assert abs((angle - target + 180) % 360 - 180) < 20


def test_dyer_target_is_decoded_as_the_file_is_known_to(mirror):
    array = load("dyer2017", [mirror / "dyer2017" / "chewie_demo.mat"])
    plan = design(array.assign_attrs(dataset="dyer2017"), n_folds=5, seed=0)
    assert plan.chance("target") == pytest.approx(27 / 96)
    for row, known in ((3, 0.83), (13, 0.93), (23, 0.98)):
        one_bin = dataclasses.replace(plan, samples=plan.samples[row : row + 1])
        decoder = Decoder(c=1.0, standardize=True)
        accuracy = decode(samples_by_neurons(array)[None], one_bin, decoder)["target"].item()
        assert accuracy == pytest.approx(known, abs=0.06)


def test_dyer_trial_of_two_targets_is_refused(mirror, tmp_path):
    stored = scipy.io.loadmat(mirror / "dyer2017" / "chewie_demo.mat")
    stored["Ttr"] = stored["Ttr"][1:]
    arrays = {name: stored[name] for name in ("Ytr", "Ttr", "Yte", "Tte")}
    scipy.io.savemat(tmp_path / "d.mat", arrays)
    with pytest.raises(ValueError, match=r"d\.mat, Ttr: expected one target for all 31 bins"):
        load("dyer2017", [tmp_path / "d.mat"])


def test_zhang_pseudo_trials(mirror):
    path = mirror / "zhang2011" / "ZD_150bins_50sampled.Rda"
    array = load("zhang2011", [path])
    assert array.shape == (18, 399, 132)
    assert array.size == size_in_catalogue("zhang2011")
    assert array.values.mean() == pytest.approx(10.8, abs=0.05)
    assert np.unique(array.object, return_counts=True)[1].tolist() == [57] * 7
    assert np.unique(array.position, return_counts=True)[1].tolist() == [133] * 3
    plan = design(array.assign_attrs(dataset="zhang2011"), n_folds=5, seed=0)
    assert plan.samples.shape == (9, 399)
    after = dataclasses.replace(plan, samples=399 * 12 + np.arange(399)[None])
    assert array.time.values[12] == 175
    accuracy = decode(samples_by_neurons(array)[None], after, Decoder(c=1.0, standardize=True))
    assert accuracy["object"].item() == pytest.approx(0.87, abs=0.02)
    assert accuracy["position"].item() == pytest.approx(0.66, abs=0.02)
    # The first pseudo-trial of the first condition, by name, is each site's first such trial.
    table = zhang2011.read_table(path)
    condition = table["labels.combined_ID_position"].astype(str)
    first = table[condition == condition.min()].groupby("siteID").first()
    assert array.values[0, 0] == pytest.approx(1000 * first["time.-500_-350"].to_numpy())


class Attack:
    def __reduce__(self):
        return (print, ("run by a pickle",))


def write_object_array(path, content):
    with open(path, "wb") as file:
        np.save(file, np.array(content, dtype=object), allow_pickle=True)


def test_pickles_hold_arrays_and_nothing_that_runs(tmp_path, capsys):
    path = tmp_path / "data.npy"
    write_object_array(path, {"rates": np.arange(3.0)})
    assert pickles.load_object_array(path).item()["rates"].tolist() == [0, 1, 2]
    write_object_array(path, Attack())
    with pytest.raises(ValueError, match=r"data\.npy: cannot be read: only NumPy arrays are allow"):
        pickles.load_object_array(path)
    assert capsys.readouterr().out == ""
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"data\.npy: cannot be read"):
        pickles.load_object_array(path)
    np.save(path, np.arange(3))
    with pytest.raises(ValueError, match="expected an array of objects, got int64"):
        pickles.load_object_array(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a[:2], "mine: expected at least 3 samples, got 2 (shape (2, 4))"),
        (lambda a: a[:, :0], "mine: expected at least one neuron"),
        (lambda a: np.where(a == a[1, 2], np.nan, a), "NaN or infinity in 1 neuron(s): number 2,"),
        (lambda a: np.where(a == a[1, 2], np.inf, a), "NaN or infinity in 1 neuron(s): number 2,"),
        (lambda a: a * np.array([1, 0, 1, 0]), "constant value in 2 neuron(s): number 1, 3,"),
    ],
)
def test_unusable_activity_is_not_written(tmp_path, change, message):
    activity = change(np.random.default_rng(1).standard_normal((8, 4)))
    array = recording(activity)
    with pytest.raises(ValueError) as error:
        write_recording(tmp_path / "out.nc", array, "mine")
    assert message in str(error.value)
    assert not (tmp_path / "out.nc").exists()


def test_prepared_file_gives_back_what_was_written(tmp_path):
    array = load("ultrametric")
    array.attrs["licence"] = ""
    write_recording(tmp_path / "out.nc", array, "ultrametric")
    again = read_recording(tmp_path / "out.nc")
    assert again.identical(array)


def test_every_loader_is_tested():
    library = ROOT / "workflow/scripts/scorebounds/datasets"
    tests = "".join(path.read_text() for path in (ROOT / "tests/unit").glob("*.py"))
    for path in (*library.glob("*.py"), *library.glob("made/*.py")):
        if re.search("(?m)^def (load|make)\\(", path.read_text()) and path.stem != "loaders":
            name = path.stem.replace("_", "-")
            used = re.search(rf'\bimport .*\b{path.stem}\b|["\']{name}["\']', tests)
            assert used, f"write a test of datasets/{path.relative_to(library)} in tests/unit"
