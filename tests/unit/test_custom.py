"""Users' own files: what they may look like, and what is said of one that cannot be used."""

import io
import json
import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse
import xarray as xr
from numpy.lib import format as npy_format

import prepare_dataset
from helpers.workflow import ROOT
from scorebounds.core.recording import read_recording, recording, write_recording
from scorebounds.datasets import loaders
from scorebounds.datasets.readers import custom
from scorebounds.datasets.report import describe, spectrum_summary

ACTIVITY = np.random.default_rng(0).standard_normal((4, 6, 3))
STIMULUS = np.array(["a", "a", "a", "b", "b", "b"])
AXES = {"axes": ["time", "condition", "neuron"]}


def write_npz(path):
    np.savez(path, activity=ACTIVITY, stimulus=STIMULUS, weight=np.arange(3))


def write_mat(path):
    scipy.io.savemat(path, {"activity": ACTIVITY, "stimulus": np.array([1, 1, 1, 2, 2, 2])})


def write_nc(path):
    array = xr.DataArray(ACTIVITY, dims=("time", "condition", "neuron"), name="activity")
    array.assign_coords(stimulus=("condition", STIMULUS)).to_netcdf(path, engine="h5netcdf")


@pytest.mark.parametrize(
    ("name", "write"), [("d.npz", write_npz), ("d.mat", write_mat), ("d.nc", write_nc)]
)
def test_reads_activity_and_labels(tmp_path, name, write):
    write(tmp_path / name)
    array = custom.load(tmp_path / name)
    assert array.dims == ("time", "condition", "neuron")
    assert np.array_equal(array.values, ACTIVITY)
    assert array.attrs["variables"] == ["stimulus"]
    classes = np.unique(array.stimulus.values, return_inverse=True)[1]
    assert classes.tolist() == [0, 0, 0, 1, 1, 1]


def test_reads_plain_arrays_and_tables(tmp_path):
    np.save(tmp_path / "d.npy", ACTIVITY[0])
    assert np.array_equal(custom.load(tmp_path / "d.npy").values, ACTIVITY[0])
    table = pd.DataFrame(ACTIVITY[0], columns=["n1", "n2", "n3"]).assign(stimulus=STIMULUS)
    table.to_csv(tmp_path / "d.csv", index=False)
    array = custom.load(tmp_path / "d.csv")
    assert array.dims == ("sample", "neuron")
    assert array.values == pytest.approx(ACTIVITY[0])
    assert array.stimulus.values.tolist() == STIMULUS.tolist()


def test_named_axes_come_in_any_order(tmp_path):
    array = xr.DataArray(ACTIVITY[0].T, dims=("neuron", "sample"), name="activity")
    array.to_netcdf(tmp_path / "d.nc", engine="h5netcdf")
    assert np.array_equal(custom.load(tmp_path / "d.nc").values, ACTIVITY[0])


def test_labels_are_named_as_identifiers(tmp_path):
    np.savez(tmp_path / "d.npz", **{"activity": ACTIVITY, "stim type/2": STIMULUS})
    array = custom.load(tmp_path / "d.npz")
    # A slash is a group in netCDF.
    assert array.attrs["variables"] == ["stim_type_2"]
    write_recording(tmp_path / "out.nc", array, "mine")
    again = read_recording(tmp_path / "out.nc")
    assert again.stim_type_2.values.tolist() == STIMULUS.tolist()


def test_text_in_a_matlab_cell_is_a_label(tmp_path):
    cells = np.array(STIMULUS, dtype=object)
    scipy.io.savemat(tmp_path / "d.mat", {"activity": ACTIVITY, "stimulus": cells})
    assert custom.load(tmp_path / "d.mat", **AXES).stimulus.values.tolist() == STIMULUS.tolist()
    cells[0] = np.arange(3)
    scipy.io.savemat(tmp_path / "d.mat", {"activity": ACTIVITY, "stimulus": cells})
    with pytest.raises(ValueError, match=r"d\.mat: expected label 'stimulus' to hold numbers or"):
        custom.load(tmp_path / "d.mat", labels=["stimulus"], **AXES)
    # What nobody asked for is left out.
    array = custom.load(tmp_path / "d.mat", **AXES)
    assert array.attrs["variables"] == []
    assert "left out 'stimulus', which is no label" in array.attrs["history"]


@pytest.mark.parametrize("name", ["condition", "trial", "sample"])
@pytest.mark.parametrize("form", ["npz", "csv"])
def test_a_label_may_have_the_name_of_an_axis(tmp_path, name, form):
    rng = np.random.default_rng(0)
    values, of_rows = rng.normal(size=(24, 3)), np.arange(24) % 4
    table = pd.DataFrame(values, columns=["n0", "n1", "n2"]).assign(**{name: of_rows})
    if form == "csv":
        table.to_csv(tmp_path / "d.csv", index=False)
    else:
        np.savez(tmp_path / "d.npz", activity=values, **{name: of_rows})
    entry = {"columns": {name: "label"}} if name == "sample" else {}
    array = custom.load(tmp_path / f"d.{form}", average_by=[name], **entry)
    means = np.stack([values[of_rows == place].mean(axis=0) for place in range(4)])
    np.testing.assert_allclose(array.values, means)
    assert custom.load(tmp_path / f"d.{form}", groups=name, **entry).attrs["groups"] in array.coords


def test_the_name_of_another_axis_is_no_label(tmp_path, caplog):
    np.savez(tmp_path / "d.npz", activity=ACTIVITY, neuron=STIMULUS)
    assert custom.load(tmp_path / "d.npz", **AXES).attrs["variables"] == []
    assert "'neuron' is no label: it has the name of an axis" in caplog.text


def test_more_neurons_than_samples_are_warned_of(tmp_path, caplog):
    rng = np.random.default_rng(0)
    write_recording(tmp_path / "out.nc", recording(rng.standard_normal((9, 7))), "mine")
    assert not caplog.text
    write_recording(tmp_path / "out.nc", recording(rng.standard_normal((9, 8))), "mine")
    assert "mine: with 8 neurons and 9 samples" in caplog.text
    assert "there will be no thresholds" in caplog.text


def test_says_which_array_is_no_label(tmp_path, caplog):
    write_npz(tmp_path / "d.npz")
    custom.load(tmp_path / "d.npz")
    assert "'weight' of shape (3,) is no label" in caplog.text


def test_many_arrays_that_are_no_labels_are_named_together(tmp_path, caplog):
    others = {f"a{number}": np.zeros(3) for number in range(3000)}
    np.savez(tmp_path / "d.npz", activity=ACTIVITY, **others)
    history = custom.load(tmp_path / "d.npz", **AXES).attrs["history"]
    assert len(caplog.messages) == 6
    assert "'a4' of shape (3,) is no label: it has not one value" in caplog.messages[4]
    assert "2995 more are no labels: 'a5' of shape (3,), 'a6'" in caplog.messages[5]
    assert "and 2992 others" in caplog.messages[5]
    assert "left out 2995 more, which are no labels" in history
    assert len(history) < 2000


def write_mat_73(path, arrays):
    """Write HDF5 as MATLAB 7.3 does: axes reversed, text as numbers, cells as references."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in arrays.items():
            if isinstance(values, list) and isinstance(values[0], str):
                cells = []
                for number, text in enumerate(values):
                    codes = np.array([[ord(letter)] for letter in text], dtype=np.uint16)
                    cell = file.create_dataset(f"#refs#/{name}{number}", data=codes)
                    cell.attrs["MATLAB_class"] = np.bytes_("char")
                    cells.append(cell.ref)
                item = file.create_dataset(name, data=[cells], dtype=h5py.ref_dtype)
                item.attrs["MATLAB_class"] = np.bytes_("cell")
            else:
                item = file.create_dataset(name, data=np.asarray(values).T)
                item.attrs["MATLAB_class"] = np.bytes_("double")


def test_matlab_73_has_axes_text_and_numbers_as_matlab_shows_them(tmp_path):
    content = {"activity": ACTIVITY, "stimulus": list("aaabbb"), "block": [[1, 1, 2, 2, 3, 3]]}
    write_mat_73(tmp_path / "d.mat", content)
    array = custom.load(tmp_path / "d.mat")
    assert np.array_equal(array.values, ACTIVITY)
    assert array.stimulus.values.tolist() == list("aaabbb")
    assert array.block.values.tolist() == [1, 1, 2, 2, 3, 3]


def test_sparse_matlab_arrays_are_read(tmp_path):
    dense = np.eye(6)[:, :4]
    scipy.io.savemat(tmp_path / "d.mat", {"activity": scipy.sparse.csc_array(dense)})
    assert np.array_equal(custom.load(tmp_path / "d.mat").values, dense)


def test_older_netcdf_is_read(tmp_path):
    array = xr.DataArray(ACTIVITY, dims=("time", "condition", "neuron"), name="activity")
    array.to_netcdf(tmp_path / "d.nc", engine="scipy")
    assert np.array_equal(custom.load(tmp_path / "d.nc").values, ACTIVITY)


@pytest.mark.parametrize(
    ("axes", "dims"),
    [
        (("neuron", "sample"), ("sample", "neuron")),
        (("neuron", "time"), ("sample", "neuron")),
        (("trial", "time", "neuron"), ("time", "condition", "neuron")),
        (("neuron", "condition", "time"), ("time", "condition", "neuron")),
    ],
)
def test_axes_are_named(tmp_path, axes, dims):
    ours = {"sample": 0, "trial": 1, "condition": 1, "time": 0, "neuron": -1}
    expected = ACTIVITY if len(axes) == 3 else ACTIVITY[0]
    given = np.moveaxis(expected, [ours[axis] for axis in axes], range(len(axes)))
    np.savez(tmp_path / "d.npz", rates=given)
    array = custom.load(tmp_path / "d.npz", array="rates", axes=axes, units="Hz")
    assert array.dims == dims
    assert np.array_equal(array.values, expected)
    assert array.attrs["units"] == "Hz"


def test_conditions_and_trials_become_rows_without_the_padding(tmp_path):
    grid = np.random.default_rng(1).standard_normal((5, 3, 4, 2))  # time, condition, trial, neuron
    grid[:, 1, 3] = np.nan
    given = {"activity": grid.transpose(3, 1, 0, 2), "side": np.array(["l", "r", "l"])}
    np.savez(tmp_path / "d.npz", **given, reward=np.arange(12).reshape(3, 4) % 2)
    axes = ["neuron", "condition", "time", "trial"]
    array = custom.load(tmp_path / "d.npz", axes=axes)
    assert array.shape == (5, 11, 2)
    assert np.array_equal(array.values[:, 4], grid[:, 1, 0])
    assert np.array_equal(array.values[:, 7], grid[:, 2, 0])
    assert array.side.values.tolist() == list("llllrrrllll")
    assert array.reward.values.tolist() == [0, 1] * 3 + [0] + [0, 1] * 2
    assert "left out 1 empty trials" in array.attrs["history"]


def test_trials_are_averaged_by_labels(tmp_path):
    labels = {"side": list("lrlrll"), "cue": [1, 1, 2, 2, 1, 2], "block": [0, 0, 1, 1, 0, 1]}
    labels["order"] = [0, 1, 2, 3, 4, 5]
    np.savez(tmp_path / "d.npz", activity=ACTIVITY, **labels)
    array = custom.load(tmp_path / "d.npz", average_by=["side", "cue"])
    assert array.shape == (4, 4, 3)
    assert array.side.values.tolist() == ["l", "l", "r", "r"]
    assert array.cue.values.tolist() == [1, 2, 1, 2]
    assert array.values[:, 0] == pytest.approx(ACTIVITY[:, [0, 4]].mean(1))
    assert np.array_equal(array.values[:, 3], ACTIVITY[:, 3])
    assert array.attrs["variables"] == ["side", "cue", "block"]
    assert "left out the label 'order', which differs within" in array.attrs["history"]
    assert "4 conditions of 1 to 2" in array.attrs["history"]


def test_labels_are_read_from_a_separate_table(tmp_path):
    np.save(tmp_path / "d.npy", ACTIVITY)
    pd.DataFrame({"side": list("lrlrll"), "dose": [1, 1, 2, 2, 3, 3]}).to_csv(
        tmp_path / "trials.csv", index=False
    )
    array = custom.load(tmp_path / "d.npy", labels=str(tmp_path / "trials.csv"))
    assert array.attrs["variables"] == ["side", "dose"]
    assert array.dose.values.tolist() == [1, 1, 2, 2, 3, 3]


def test_a_column_of_numbers_is_a_label_if_it_is_named_as_one(tmp_path):
    table = pd.DataFrame(ACTIVITY[0], columns=["n1", "n2", "n3"])
    table.assign(block=[1, 1, 2, 2, 3, 3], note="x").to_csv(tmp_path / "d.csv", index=False)
    array = custom.load(tmp_path / "d.csv", labels=["block"])
    assert array.shape == (6, 3)
    assert array.attrs["variables"] == ["block"]


@pytest.mark.parametrize("time", ["bins", [5, 15, 25, 40.5]])
def test_bin_centres(tmp_path, time):
    np.savez(tmp_path / "d.npz", activity=ACTIVITY, bins=[5, 15, 25, 40.5])
    array = custom.load(tmp_path / "d.npz", time=time)
    assert array.time.values.tolist() == [5, 15, 25, 40.5]
    assert array.time.attrs["units"] == "ms"


def test_what_cannot_be_used_is_left_out_if_asked(tmp_path):
    activity = np.random.default_rng(0).standard_normal((4, 6, 5))
    activity[1, 2, :2] = np.nan
    activity[0, 4, 0] = np.inf
    activity[:, :, 3] = 7
    np.savez(tmp_path / "d.npz", activity=activity, stimulus=STIMULUS)
    array = custom.load(tmp_path / "d.npz", drop=["missing_trials", "constant_neurons"], **AXES)
    assert np.array_equal(array.values, activity[:, [0, 1, 3, 5]][..., [0, 1, 2, 4]])
    assert array.stimulus.values.tolist() == ["a", "a", "b", "b"]
    array = custom.load(tmp_path / "d.npz", drop=["missing_neurons", "constant_neurons"], **AXES)
    assert np.array_equal(array.values, activity[..., [2, 4]])
    assert "left out 2 neuron(s): number 0, 1, counted from 0: values" in array.attrs["history"]


def forged_npy(shape):
    """An .npy file of three numbers whose header says that it has a shape."""
    content = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    npy_format.write_array_header_1_0(content, header)
    return content.getvalue() + np.arange(3.0).tobytes()


def forged_npz(path, *names, content):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(f"{name}.npy", content)


def empty_hdf5(path):
    """HDF5 that declares what no machine could hold, in a few kB."""
    with h5py.File(path, "w") as file:
        file.create_dataset("activity", shape=(10**7, 10**7), dtype="f8", chunks=(1000, 1000))


def structure_without_fields(path):
    with h5py.File(path, "w") as file:
        file.create_group("activity").attrs["MATLAB_class"] = np.bytes_("struct")


def plain_npy():
    content = io.BytesIO()
    np.save(content, ACTIVITY)
    return content.getvalue()


def npz(**arrays):
    return lambda path: np.savez(path, **{"activity": ACTIVITY, **arrays})


def csv(text):
    return lambda path: path.write_text(text)


def twice(path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        forged_npz(path, "activity", "activity", content=plain_npy())


MALFORMED = [
    ("d.doc", csv("1"), {}, "expected a file that ends in one of .npz, .npy"),
    ("d.npz", lambda p: None, {}, "no such file"),
    ("d.npz", lambda p: p.write_bytes(b"PK\x03\x04 cut"), {}, "cannot be read"),
    (
        "d.npz",
        lambda p: np.savez(p, rates=ACTIVITY, more=ACTIVITY),
        {},
        "an array named 'activity', got 'more', 'rates'; name the array of activity in `array`",
    ),
    ("d.npz", lambda p: np.savez(p, rate=ACTIVITY[0, 0]), {}, "with two or more axes, got 'rate'"),
    ("d.npz", npz(), {"array": "spikes"}, "expected an array named 'spikes', got 'activity'"),
    ("d.npz", twice, {}, "got two arrays named 'activity'"),
    ("d.npz", npz(activity=np.array([{}])), {}, "'activity' holds Python objects; save numbers"),
    (
        "d.npz",
        lambda p: forged_npz(p, "activity", content=forged_npy((10**9, 10**6))),
        {},
        "declares shape (1000000000, 1000000), 8000000000000000 bytes, and holds 24",
    ),
    ("d.npy", lambda p: p.write_bytes(forged_npy((4, 5))), {}, "160 bytes, and holds 24"),
    ("d.npy", lambda p: p.write_bytes(plain_npy()[:-8]), {}, "576 bytes, and holds 568"),
    (
        "d.npy",
        lambda p: np.save(p, ACTIVITY[0, 0]),
        {},
        "(time, condition, neuron), got shape (3,)",
    ),
    ("d.npy", lambda p: np.save(p, ACTIVITY + 1j), {}, "got complex numbers of shape (4, 6, 3)"),
    ("d.npy", lambda p: np.save(p, STIMULUS[None]), {}, "to hold numbers, got text"),
    ("d.npy", lambda p: np.save(p, ACTIVITY), {"axes": ["trial", "neuron"]}, "got shape (4, 6, 3)"),
    (
        "d.npy",
        lambda p: np.save(p, ACTIVITY),
        {"axes": ["sample", "trial", "neuron"]},
        "expected `axes` to name neuron, and sample or trial, condition, time, got sample",
    ),
    (
        "d.npz",
        npz(),
        {**AXES, "labels": ["choice"]},
        "expected an array named 'choice', got 'activity'",
    ),
    (
        "d.npz",
        npz(side=[1, 2]),
        {**AXES, "labels": ["side"]},
        "each of the 6 conditions, got shape (2,)",
    ),
    (
        "d.npz",
        npz(side=[1] * 6),
        {**AXES, "labels": ["side"]},
        "one value throughout, there is nothing",
    ),
    (
        "d.npz",
        npz(side=[1, 2, np.nan, 1, 2, 1]),
        {"labels": ["side"]},
        "label 'side' cannot be used: there is no value in row 2, counted from 0",
    ),
    (
        "d.npz",
        npz(side=np.arange(6) * 1j),
        {**AXES, "labels": ["side"]},
        "numbers or text, got complex",
    ),
    ("d.npz", npz(**{"a b": [1, 2] * 3, "a_b": [1, 2] * 3}), {}, "of labels, got 'a_b' twice"),
    ("d.npz", npz(side=[1, 2] * 3), {"average_by": ["cue"]}, "got no 'cue'; labels are: side"),
    ("d.npz", npz(), {"time": [1, 2, 3]}, "expected `time` as 4 rising numbers"),
    ("d.npz", npz(), {"time": [1, 3, 2, 4]}, "expected `time` as 4 rising numbers"),
    ("d.npz", npz(activity=ACTIVITY[0]), {"time": [1, 2]}, "no axis of `axes` is time"),
    ("d.csv", csv(""), {}, "the file is empty"),
    ("d.csv", csv("\n\n"), {}, "expected a header with the names of the columns, got an empty"),
    ("d.csv", csv("a,b\n"), {}, "expected rows of values below the header, got none"),
    ("d.csv", csv("a,,b\n0,1,2\n1,2,3\n"), {}, "a name for every column, got none for column 1"),
    ("d.csv", csv("a,a\n0,1\n1,2\n"), {}, "got two columns named 'a'"),
    ("d.csv", csv("a,b\n1,2\n3,x\n4,5\n"), {}, "column 'b', got 'x' in sample 1"),
    (
        "d.csv",
        csv("a,b\nx,y\nz,w\n"),
        {},
        "expected columns of numbers, a neuron each, got 'a' (label), ",
    ),
    ("d.csv", csv("a,b\n1,x\n2,\n3,y\n"), {"labels": ["b"]}, "there is no value in row 1"),
    (
        "d.csv",
        csv('a,b\n1,2\n"3,4\n'),
        {},
        "expected 2 fields in each row, as in the header, got 1",
    ),
    ("d.mat", lambda p: p.write_bytes(b"not matlab"), {}, "cannot be read as MATLAB file"),
    (
        "d.mat",
        lambda p: write_mat_73(p, {"activity": list("abc")}),
        {},
        "expected 'activity' to hold numbers, got text of shape (3,)",
    ),
    ("d.mat", lambda p: scipy.io.savemat(p, {"activity": {"a": 1}}), {}, "got 'activity.a'"),
    (
        "d.mat",
        structure_without_fields,
        {},
        "'activity' is a structure without fields; save a plain array",
    ),
    ("d.mat", empty_hdf5, {}, "'activity' of shape (10000000, 10000000) needs 2400000.0 GB"),
    ("d.nc", empty_hdf5, {}, "'activity' of shape (10000000, 10000000) needs 2400000.0 GB"),
    ("d.nc", lambda p: p.write_bytes(b"not netcdf"), {}, "cannot be read"),
]


@pytest.mark.parametrize(("name", "write", "options", "message"), MALFORMED)
def test_unusable_file_gives_one_sentence(tmp_path, name, write, options, message):
    write(tmp_path / name)
    with pytest.raises(ValueError) as error:
        custom.load(tmp_path / name, **options)
    assert str(error.value).startswith(f"{tmp_path / name}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "trials.csv: no such file"),
        ("side\nl\nr\n", "label 'side' with a value for each of the 6 conditions, got shape (2,)"),
        ("side\n" + "l\n" * 6, "label 'side' cannot be used: it has one value throughout"),
        ("side,side\n1,2\n", "its labels "),
    ],
)
def test_unusable_table_of_labels_gives_one_sentence(tmp_path, text, message):
    np.save(tmp_path / "d.npy", ACTIVITY)
    if text:
        (tmp_path / "trials.csv").write_text(text)
    with pytest.raises(ValueError) as error:
        custom.load(tmp_path / "d.npy", labels=str(tmp_path / "trials.csv"), **AXES)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_discovered_arrays_that_are_no_labels_are_named(tmp_path, caplog):
    np.savez(tmp_path / "d.npz", activity=ACTIVITY, same=np.ones(6), gaps=[1, np.nan] * 3)
    assert custom.load(tmp_path / "d.npz").attrs["variables"] == []
    assert "'same' is no label: it has one value throughout" in caplog.text
    assert "'gaps' is no label: there is no value in row 1" in caplog.text


def test_report_tells_what_is_in_a_dataset(tmp_path):
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((2, 5))
    activity = rng.standard_normal((4, 6, 2)) @ mixing
    np.savez(tmp_path / "d.npz", activity=activity, stimulus=[1, 1, 1, 1, 2, 2])
    options = {"units": "Hz", "time": [10, 20, 30, 40]}
    array = loaders.load("d", [tmp_path / "d.npz"], seed=0, settings=options, custom=True)
    text = describe(array.assign_attrs(dataset="d"), [tmp_path / "d.npz"])
    rank, ratio = spectrum_summary(activity.reshape(24, 5))
    singular = np.linalg.svd(activity.reshape(24, 5) - activity.mean((0, 1)), compute_uv=False)
    assert rank == 2
    assert ratio == pytest.approx((singular**2).sum() ** 2 / (singular**4).sum())
    for line in (
        "| axes | 4 times, 6 conditions, 5 neurons |",
        "| unit | Hz |",
        "| times | 10 to 40 ms |",
        "| missing or infinite values | 0 |",
        "| constant (silent) neurons | 0 |",
        "| rank, centred | 2 of at most 5 |",
        f"| participation ratio | {ratio:.4g} |",
        "| stimulus | 2 | 2 | 1 (4), 2 (2) |",
        "- read 'activity' of shape (4, 6, 5) as time, condition, neuron",
    ):
        assert line in text.splitlines()
    array[0, 0, 0] = np.nan
    assert "| missing or infinite values | 1 |" in describe(array.assign_attrs(dataset="d"), [])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda a: np.where(a == a[0, 1, 2], np.nan, a),
            "NaN or infinity in 1 neuron(s): number 2",
        ),
        (lambda a: np.where(a == a[0, 1, 2], -np.inf, a), "NaN or infinity in 1 neuron(s): number"),
        (lambda a: a * [0, 1, 0], "constant value in 2 neuron(s): number 0, 2, counted from 0"),
        (lambda a: a[..., :0], "one sample and one neuron, got shape (4, 6, 0)"),
        (lambda a: a[:, :0], "one sample and one neuron, got shape (4, 0, 3)"),
        (lambda a: a[:1, :2], "expected at least 3 samples, got 2 (shape (1, 2, 3))"),
    ],
)
def test_unusable_activity_leaves_nothing_but_a_sentence(tmp_path, change, message):
    np.savez(tmp_path / "d.npz", activity=change(ACTIVITY))
    target, report = tmp_path / "d.nc", tmp_path / "d.md"
    targets = {"recording": target, "report": report}
    arguments = (targets, "d", [tmp_path / "d.npz"], [], tmp_path / "lock", {})
    with pytest.raises(ValueError) as error:
        prepare_dataset.main(*arguments, seed=0, settings=AXES, custom=True)
    assert str(error.value).startswith(f"{tmp_path / 'd.npz'}: ")
    assert message in str(error.value)
    assert not target.exists()
    assert not report.exists()


@pytest.mark.parametrize("shape", [(40, 7), (7, 40)])
def test_rank_and_participation_ratio_at_any_width(shape):
    activity = np.random.default_rng(0).standard_normal(shape)
    activity[:, 1] = 3 * activity[:, 0]
    rank, ratio = spectrum_summary(activity)
    centred = activity - activity.mean(0)
    assert rank == np.linalg.matrix_rank(centred)
    variances = np.linalg.svd(centred, compute_uv=False) ** 2
    assert ratio == pytest.approx(variances.sum() ** 2 / (variances**2).sum())


LOAD = """
import json, resource, sys
from pathlib import Path
from scorebounds.datasets import loaders
from scorebounds.datasets.report import describe
from scorebounds.core.recording import write_recording

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

before = peak_mb()
path = Path(sys.argv[1])
options = json.loads(sys.argv[2])
array = loaders.load("big", [path], seed=0, settings=options, custom=True)
array.attrs["dataset"] = "big"
describe(array, [path])
write_recording(path.with_suffix(".out.nc"), array, "big")
print(before, peak_mb())
"""


def test_large_file_takes_bounded_memory(tmp_path):
    """100 MB in single precision: 200 MB in double, of which at most a copy is made."""
    activity = np.random.default_rng(0).standard_normal((500, 250, 200), dtype=np.float32)
    np.savez(tmp_path / "d.npz", activity=activity, other=activity)
    options = json.dumps({"axes": ["trial", "time", "neuron"]})
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(tmp_path / "d.npz"), options],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT / "workflow/scripts"), "OMP_NUM_THREADS": "1"},
    )
    before, after = map(float, done.stdout.split())
    assert after - before < 650


def test_groups_need_not_be_among_the_labels_that_are_decoded(tmp_path):
    run = np.repeat(["a", "b", "c"], 4)
    rates = np.random.default_rng(0).normal(size=(12, 3))
    np.savez(tmp_path / "d.npz", rates=rates, run=run, cue=np.arange(12) % 2)
    array = custom.load(tmp_path / "d.npz", labels=["cue"], groups="run")
    assert array.attrs["variables"] == ["cue"]
    assert array.run.values.tolist() == run.tolist()
    frame = pd.DataFrame(rates, columns=["x", "y", "z"]).assign(run=run, cue=np.arange(12) % 2)
    frame.to_csv(tmp_path / "d.csv", index=False)
    entry = {"labels": ["cue"], "groups": "run", "columns": {"cue": "label", "run": "label"}}
    table = custom.load(tmp_path / "d.csv", **entry)
    assert table.attrs["variables"] == ["cue"]
    assert table.run.values.tolist() == run.tolist()
