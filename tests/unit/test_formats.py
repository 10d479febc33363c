"""Files in the formats of other libraries, each written by that library."""

import os
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse
import torch
import xarray as xr
import zarr

from scorebounds.datasets.readers import custom

RNG = np.random.default_rng(7)
VALUES = RNG.normal(size=(24, 5))
SIDE = np.tile(["left", "right"], 12)
NAMES = np.array([f"im{number:02}" for number in range(24)])


def write_hdf5(path):
    with h5py.File(path, "w") as file:
        file["session/rates"] = VALUES.astype(np.float32)
        file["session/side"] = SIDE.astype("S")
        file["session/image"] = NAMES.astype("S")


def write_zarr(path, version=3):
    group = zarr.open_group(str(path), mode="w", zarr_format=version)
    group.create_array("rates", data=VALUES.astype(np.float32))


def write_safetensors(path):
    from safetensors.numpy import save_file

    save_file({"rates": VALUES.astype(np.float32)}, path)


def write_torch(path):
    torch.save({"rates": torch.tensor(VALUES, dtype=torch.float32), "epoch": 3}, path)


FORMATS = [
    ("d.h5", write_hdf5),
    ("d.hdf5", write_hdf5),
    ("d.zarr", write_zarr),
    ("old.zarr", lambda path: write_zarr(path, version=2)),
    ("d.safetensors", write_safetensors),
    ("d.pt", write_torch),
    ("d.pth", lambda path: torch.save(torch.tensor(VALUES, dtype=torch.float32), path)),
    ("d.npz", lambda path: np.savez(path, VALUES.astype(np.float32))),
    ("d.mat", lambda path: scipy.io.savemat(path, {"data": {"rates": VALUES.astype("f4")}})),
]


@pytest.mark.parametrize(("name", "write"), FORMATS)
def test_the_one_array_of_a_file_need_not_be_named(tmp_path, name, write):
    write(tmp_path / name)
    array = custom.load(tmp_path / name)
    np.testing.assert_array_equal(array.values, VALUES.astype(np.float32))
    assert array.attrs["precision"] == "float32"


def test_hdf5_groups_are_named_by_path(tmp_path):
    write_hdf5(tmp_path / "d.h5")
    array = custom.load(tmp_path / "d.h5", array="session/rates")
    assert array.attrs["variables"] == ["session_side"]
    assert array.row_name.values.tolist() == NAMES.tolist()


def test_names_of_hdf5_axes_are_used(tmp_path):
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file["activity"] = VALUES.T
        file["activity"].dims[0].label = "unit"
        file["activity"].dims[1].label = "trial"
    np.testing.assert_array_equal(custom.load(tmp_path / "d.h5").values, VALUES)


@pytest.mark.parametrize("version", [2, 3])
def test_names_of_zarr_axes_are_used(tmp_path, version):
    array = xr.DataArray(VALUES.T, dims=("neuroid", "presentation"), name="activity")
    array.to_dataset().to_zarr(tmp_path / "d.zarr", zarr_format=version, consolidated=False)
    np.testing.assert_array_equal(custom.load(tmp_path / "d.zarr").values, VALUES)


ZARR_KINDS = [
    {"zarr_format": 2},
    {"zarr_format": 3},
    {"zarr_format": 2, "chunk_key_encoding": {"name": "v2", "separator": "/"}},
    {"zarr_format": 3, "shards": (8, 5)},
]


@pytest.mark.parametrize("kind", ZARR_KINDS)
@pytest.mark.parametrize("name", [None, "rates", "0"])
def test_missing_chunks_of_zarr_are_warned_of(tmp_path, caplog, kind, name):
    path, name = tmp_path / "d.zarr", name and f"group/{name}"
    if name:
        zarr.open_group(path, mode="w", zarr_format=kind["zarr_format"])
    chunks = (4, 5) if "shards" in kind else (8, 5)
    array = zarr.create_array(
        path, name=name, shape=VALUES.shape, dtype="f8", chunks=chunks, fill_value=0.5, **kind
    )
    array[:8], array[16:] = VALUES[:8], VALUES[16:]
    loaded = custom.load(path)
    np.testing.assert_array_equal(loaded.values, [*VALUES[:8], *np.full((8, 5), 0.5), *VALUES[16:]])
    said = "lacks 1 of its 3 chunks, and their values were taken as its fill value, 0.5"
    assert said in caplog.text
    assert said in loaded.attrs["history"]
    array[:] = VALUES
    caplog.clear()
    assert "lacks" not in custom.load(path).attrs["history"] + caplog.text


@pytest.mark.parametrize("name", ["d.pt", "d.safetensors"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.int16, torch.bool])
def test_tensors_of_every_type_are_read(tmp_path, name, dtype):
    from safetensors.torch import save_file

    tensor = torch.tensor(3 * VALUES).to(dtype)
    if name == "d.pt":
        torch.save(tensor, tmp_path / name)
    else:
        save_file({"activity": tensor}, tmp_path / name)
    np.testing.assert_array_equal(custom.load(tmp_path / name).values, tensor.double().numpy())


@pytest.mark.parametrize(
    "dims",
    [
        ("neuroid", "presentation", "time_bin"),
        ("time", "unit", "trial"),
        ("Bin", "stimuli", "Voxels"),
        ("image", "channel", "frame"),
    ],
)
def test_named_axes_are_read_in_any_order(tmp_path, dims):
    from scorebounds.datasets.readers.axes import meaning

    sizes = {"neuron": 5, "time": 4, "sample": 12, "condition": 12, "trial": 12}
    kinds = [meaning(dim) for dim in dims]
    values = RNG.normal(size=[sizes[kind] for kind in kinds])
    xr.DataArray(values, dims=dims, name="activity").to_netcdf(tmp_path / "d.nc")
    array = custom.load(tmp_path / "d.nc")
    assert dict(array.sizes) == {"time": 4, "condition": 12, "neuron": 5}
    row = next(kind for kind in kinds if kind not in ("time", "neuron"))
    order = [kinds.index(kind) for kind in ("time", row, "neuron")]
    np.testing.assert_array_equal(array.values, values.transpose(order))


def test_repeats_by_stimuli_are_no_times_by_conditions(tmp_path):
    values = RNG.normal(size=(4, 6, 5))
    xr.DataArray(values, dims=("repetition", "stimulus", "neuroid"), name="activity").to_netcdf(
        tmp_path / "d.nc"
    )
    array = custom.load(tmp_path / "d.nc")
    assert dict(array.sizes) == {"sample": 24, "neuron": 5}
    np.testing.assert_array_equal(array.values[:4], values[:, 0])


@pytest.mark.parametrize("dims", [("unit", "foo"), ("unit", "cell"), ("x", "y")])
def test_unknown_or_ambiguous_axes_are_refused_and_the_advice_works(tmp_path, dims):
    xr.DataArray(VALUES, dims=dims, name="activity").to_netcdf(tmp_path / "d.nc")
    with pytest.raises(ValueError, match="say in `axes`, in this order, what each of them is"):
        custom.load(tmp_path / "d.nc")
    array = custom.load(tmp_path / "d.nc", axes=["sample", "neuron"])
    np.testing.assert_array_equal(array.values, VALUES)


def brain_score_assembly():
    return xr.DataArray(
        RNG.normal(size=(48, 5, 1)).astype("float32"),
        dims=("presentation", "neuroid", "time_bin"),
        coords={
            "stimulus_id": ("presentation", np.tile(NAMES, 2)),
            "repetition": ("presentation", np.repeat([0, 1], 24)),
            "category_name": ("presentation", np.tile(SIDE, 2)),
            "neuroid_id": ("neuroid", [f"n{number}" for number in range(5)]),
            "time_bin_start": ("time_bin", [70]),
            "time_bin_end": ("time_bin", [170]),
        },
        name="dicarlo.X",
    )


def test_stored_activations_of_brain_score_need_no_entry(tmp_path):
    paths = [f"/stimuli/im{number}.png" for number in range(len(VALUES))]
    xr.DataArray(
        VALUES,
        dims=("stimulus_path", "neuroid"),
        coords={
            "stimulus_path": paths,
            "neuroid_id": ("neuroid", np.arange(VALUES.shape[1])),
            "layer": ("neuroid", ["fc"] * VALUES.shape[1]),
        },
    ).to_netcdf(tmp_path / "d.nc")
    array = custom.load(tmp_path / "d.nc")
    np.testing.assert_array_equal(array.values, VALUES)
    assert array.row_name.values.tolist() == paths


def test_nwb_without_trials_says_what_is_missing(tmp_path):
    with h5py.File(tmp_path / "d.nwb", "w") as file:
        file["units/spike_times"] = np.arange(5.0)
    with pytest.raises(ValueError, match=r"expected a table of trials \(intervals/trials\)"):
        custom.load(tmp_path / "d.nwb", align="start_time", window=[0, 100], bin=50)


def test_brain_score_assembly_needs_no_entry(tmp_path):
    assembly = brain_score_assembly()
    assembly.to_netcdf(tmp_path / "d.nc")
    array = custom.load(tmp_path / "d.nc")
    np.testing.assert_array_equal(array.values, assembly.values[..., 0])
    assert array.dims == ("sample", "neuron")
    assert array.attrs["variables"] == ["category_name"]
    assert array.row_name.values.tolist() == np.tile(NAMES, 2).tolist()
    assert "'repetition' counts trials" in array.attrs["history"]
    averaged = custom.load(tmp_path / "d.nc", average_by=["stimulus_id"])
    expected = assembly.values[..., 0].astype(float).reshape(2, 24, 5).mean(0)
    np.testing.assert_allclose(averaged.values, expected, rtol=1e-14)
    assert averaged.row_name.values.tolist() == NAMES.tolist()


def test_bins_of_an_assembly_are_times(tmp_path):
    assembly = xr.concat([brain_score_assembly()] * 2, "time_bin", coords="minimal").assign_coords(
        time_bin_start=("time_bin", [70, 90]), time_bin_end=("time_bin", [90, 110])
    )
    assembly.to_netcdf(tmp_path / "d.nc")
    assert custom.load(tmp_path / "d.nc").time.values.tolist() == [80, 100]


def test_first_run_of_a_plain_file_with_repeats(tmp_path):
    image = np.repeat([f"image_{number}" for number in range(60)], 4)
    np.savez(
        tmp_path / "it.npz",
        activity=RNG.normal(size=(240, 6)),
        image=image,
        category=np.repeat(np.arange(6), 40),
        repetition=np.tile(np.arange(4), 60),
    )
    array = custom.load(tmp_path / "it.npz")
    assert array.attrs["variables"] == ["category"]
    assert array.row_name.values.tolist() == image.tolist()
    # Models can be matched by it under its own name too.
    assert array.image.values.tolist() == image.tolist()


@pytest.mark.parametrize("pool", ["flatten", "mean", "max"])
def test_feature_maps_become_neurons_by_a_stated_choice(tmp_path, pool):
    features = RNG.normal(size=(24, 3, 4, 4)).astype(np.float32)
    np.save(tmp_path / "d.npy", features)
    with pytest.raises(ValueError, match="choose in `pool` how they become neurons"):
        custom.load(tmp_path / "d.npy")
    array = custom.load(tmp_path / "d.npy", pool=pool)
    whole = features.astype(float)
    expected = {
        "flatten": whole.reshape(24, -1), "mean": whole.mean((2, 3)), "max": whole.max((2, 3)),
    }  # fmt: skip
    np.testing.assert_allclose(array.values, expected[pool], rtol=1e-14)
    last = np.moveaxis(features, 1, -1)
    np.save(tmp_path / "last.npy", last)
    named = custom.load(
        tmp_path / "last.npy", pool="max", axes=["sample", "height", "width", "channel"]
    )
    np.testing.assert_array_equal(named.values, whole.max((2, 3)))


def test_tokens_are_pooled_only_where_axes_are_named(tmp_path):
    features = RNG.normal(size=(24, 7, 5))
    np.save(tmp_path / "d.npy", features)
    with pytest.raises(ValueError, match="cannot tell which axis"):
        custom.load(tmp_path / "d.npy", pool="mean")
    array = custom.load(tmp_path / "d.npy", pool="mean", axes=["sample", "token", "channel"])
    np.testing.assert_allclose(array.values, features.mean(1), rtol=1e-14)


def test_fields_of_matlab_structures_are_named_by_path(tmp_path):
    content = {"data": {"activity": VALUES, "side": np.array(SIDE, dtype=object)}, "n": 3}
    scipy.io.savemat(tmp_path / "d.mat", content)
    for array in (None, "data", "data.activity", "data/activity"):
        loaded = custom.load(tmp_path / "d.mat", array=array)
        np.testing.assert_array_equal(loaded.values, VALUES)
        assert loaded.attrs["variables"] == ["data.side"]


def test_cells_of_matlab_are_chosen_by_number(tmp_path):
    cells = np.empty(2, dtype=object)
    cells[:] = [VALUES, VALUES[:20] + 1]
    scipy.io.savemat(tmp_path / "d.mat", {"activity": cells})
    with pytest.raises(ValueError, match=r"save real numbers|choose one"):
        custom.load(tmp_path / "d.mat")
    array = custom.load(tmp_path / "d.mat", array="activity{2}")
    np.testing.assert_array_equal(array.values, VALUES[:20] + 1)


def test_matlab_73_structures_sparse_arrays_and_objects(tmp_path):
    sparse = scipy.sparse.csc_array(np.eye(24)[:, :5])
    with h5py.File(tmp_path / "d.mat", "w", userblock_size=512) as file:
        item = file.create_dataset("data/rates", data=VALUES.T)
        item.attrs["MATLAB_class"] = np.bytes_("double")
        group = file.create_group("counts")
        group.attrs["MATLAB_class"] = np.bytes_("double")
        group.attrs["MATLAB_sparse"] = np.uint64(24)
        for name in ("data", "indices", "indptr"):
            stored = {"indices": "ir", "indptr": "jc"}.get(name, name)
            group[stored] = getattr(sparse, name)
        text = file.create_dataset("note", data=np.array([[3707764736, 2, 1, 1, 1, 1]], "u4"))
        text.attrs["MATLAB_class"] = np.bytes_("string")
        text.attrs["MATLAB_object_decode"] = np.int32(3)
    array = custom.load(tmp_path / "d.mat", array="data.rates")
    np.testing.assert_array_equal(array.values, VALUES)
    dense = custom.load(tmp_path / "d.mat", array="counts")
    np.testing.assert_array_equal(dense.values, sparse.toarray())
    with pytest.raises(ValueError, match="'note' is a string, table, categorical or other object"):
        custom.load(tmp_path / "d.mat", array="data.rates", names="note")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_voxels_of_a_mask_are_the_neurons(tmp_path):
    import nibabel

    volumes, inside = RNG.normal(size=(3, 4, 2, 24)), RNG.random((3, 4, 2)) < 0.5
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    nibabel.save(nibabel.Nifti1Image(volumes, affine), tmp_path / "d.nii.gz")
    nibabel.save(nibabel.Nifti1Image(inside.astype(np.uint8), affine), tmp_path / "mask.nii")
    with pytest.raises(ValueError, match="expected `mask`"):
        custom.load(tmp_path / "d.nii.gz")
    array = custom.load(tmp_path / "d.nii.gz", mask=str(tmp_path / "mask.nii"))
    np.testing.assert_array_equal(array.values, volumes[inside].T)
    nibabel.save(nibabel.Nifti1Image(inside.astype(np.uint8), 2 * affine), tmp_path / "mask.nii")
    with pytest.raises(ValueError, match="in the same space"):
        custom.load(tmp_path / "d.nii.gz", mask=str(tmp_path / "mask.nii"))


@pytest.fixture
def nwb_file(tmp_path):
    from datetime import UTC, datetime

    from pynwb import NWBHDF5IO, NWBFile, TimeSeries
    from pynwb.epoch import TimeIntervals

    nwb = NWBFile(
        session_description="a session",
        identifier="identifier",
        session_start_time=datetime(2026, 1, 1, tzinfo=UTC),
    )
    spikes = [np.sort(RNG.uniform(0, 20, 300)) for _ in range(3)]
    for times in spikes:
        nwb.add_unit(spike_times=times)
    nwb.add_trial_column(name="side", description="what was shown")
    nwb.add_trial_column(name="cue_time", description="when")
    for trial in range(12):
        nwb.add_trial(
            start_time=1.5 * trial, stop_time=1.5 * trial + 1, side=SIDE[trial],
            cue_time=1.5 * trial + 0.25,
        )  # fmt: skip
    samples = RNG.normal(size=(2000, 4))
    nwb.add_acquisition(
        TimeSeries(name="lfp", data=samples, unit="V", rate=100.0, starting_time=0.0)
    )
    ripples = TimeIntervals(name="ripples", description="of the hippocampus")
    for number in range(9):
        ripples.add_row(start_time=2.0 * number + 0.5, stop_time=2.0 * number + 0.6)
    nwb.add_time_intervals(ripples)
    with NWBHDF5IO(tmp_path / "d.nwb", "w") as file:
        file.write(nwb)
    return tmp_path / "d.nwb", spikes, samples


def test_spikes_of_nwb_are_counted_around_an_event(nwb_file):
    path, spikes, _ = nwb_file
    with pytest.raises(ValueError, match=r"expected `align` .* cue_time, start_time, stop_time"):
        custom.load(path)
    array = custom.load(path, align="cue_time", window=[0, 500], bin=100)
    assert dict(array.sizes) == {"time": 5, "condition": 12, "neuron": 3}
    assert array.time.values.tolist() == [50, 150, 250, 350, 450]
    onset = 1.5 * 4 + 0.25
    edges = onset + np.arange(6) / 10
    for unit, times in enumerate(spikes):
        expected = np.histogram(times, edges)[0]
        np.testing.assert_array_equal(array.values[:, 4, unit], expected)
    assert array.attrs["variables"] == ["side"]


def test_windows_of_nwb_may_be_placed_at_other_intervals_than_trials(nwb_file, caplog):
    path, spikes, _ = nwb_file
    with pytest.raises(ValueError, match=r"columns: .*ripples/start_time"):
        custom.load(path, align="ripples/peak", window=[0, 100], bin=50)
    array = custom.load(path, align="ripples/start_time", window=[-100, 100], bin=50)
    onsets = 2.0 * np.arange(9) + 0.5
    expected = [
        [np.histogram(times, onset + np.linspace(-0.1, 0.1, 5))[0] for times in spikes]
        for onset in onsets
    ]
    np.testing.assert_array_equal(array.values, np.transpose(expected, (2, 0, 1)))
    assert "bin_centres" not in caplog.text


def test_series_of_nwb_are_averaged_in_bins(nwb_file):
    path, _, samples = nwb_file
    array = custom.load(path, array="acquisition/lfp", align="start_time", window=[0, 200], bin=100)
    np.testing.assert_allclose(array.values[1, 2], samples[310:320].mean(0), rtol=1e-12)


HOSTILE = {
    "link": lambda file: file.__setitem__("activity", h5py.ExternalLink("/etc/passwd", "/a")),
    "storage": lambda file: file.create_dataset(
        "activity", (6, 3), "f8", external=[("/etc/passwd", 0, 144)]
    ),
    "virtual": lambda file: file.create_virtual_dataset("activity", virtual_layout()),
}


def virtual_layout():
    layout = h5py.VirtualLayout(shape=(6, 3), dtype="f8")
    layout[:] = h5py.VirtualSource("/tmp/elsewhere.h5", "activity", shape=(6, 3))
    return layout


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("name", ["d.h5", "d.nc", "d.mat", "d.nwb"])
def test_hdf5_that_reads_other_files_is_refused(tmp_path, kind, name):
    with h5py.File(tmp_path / name, "w") as file:
        HOSTILE[kind](file)
    with pytest.raises(ValueError, match=r"into another file|keeps its values in other files"):
        custom.load(tmp_path / name)


@pytest.mark.parametrize("name", ["d.pkl", "d.pickle", "d.joblib"])
def test_pickles_are_refused(tmp_path, name):
    pd.to_pickle([1, 2], tmp_path / "p.pkl")
    (tmp_path / "p.pkl").rename(tmp_path / name)
    with pytest.raises(ValueError, match="a pickle can run any program"):
        custom.load(tmp_path / name)


def test_tensors_with_other_objects_are_refused_in_one_sentence(tmp_path):
    torch.save({"model": torch.nn.Linear(2, 2)}, tmp_path / "d.pt")
    with pytest.raises(ValueError, match="save a tensor, or a dictionary of tensors") as error:
        custom.load(tmp_path / "d.pt")
    assert "\n" not in str(error.value)


POINTERS = [
    (b"", "the file is empty"),
    (b"/annex/objects/MD5E-s12--0cc1.mat\n", "it is a pointer of git-annex"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n", "pointer of Git LFS"),
    (b"<!DOCTYPE html><html>", "it is a web page"),
    (bytes(3000), "the file holds nothing but zeros"),
]
ENDINGS = [".npy", ".npz", ".mat", ".nc", ".h5", ".csv", ".pt", ".safetensors", ".parquet", ".nwb"]


@pytest.mark.parametrize(("content", "message"), POINTERS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_entry_that_is_not_a_file_is_named_in_the_error(tmp_path, content, message, ending):
    (tmp_path / f"d{ending}").write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        custom.load(tmp_path / f"d{ending}")
    assert "\n" not in str(error.value)


def test_a_link_without_its_content_is_named(tmp_path):
    (tmp_path / "d.npy").symlink_to(".git/annex/objects/x/d.npy")
    with pytest.raises(ValueError, match="its content is in git-annex: run `git annex get`"):
        custom.load(tmp_path / "d.npy")


UNFETCHED = {
    "link": (lambda path: path.symlink_to("../.git/annex/objects/x"), "run `git annex get`"),
    "other link": (lambda path: path.symlink_to("nowhere"), "a link to 'nowhere', which is not"),
    "pointer": (lambda path: path.write_bytes(POINTERS[2][0]), "it is a pointer of Git LFS"),
    "pipe": (os.mkfifo, "expected a file, got a device or a pipe"),
}


@pytest.mark.parametrize("kind", UNFETCHED)
def test_no_unit_of_a_folder_is_left_out_because_it_is_not_there(tmp_path, kind):
    write, message = UNFETCHED[kind]
    for number in range(3):
        np.save(tmp_path / f"unit{number}.npy", VALUES[:, number])
    write(tmp_path / "unit3.npy")
    with pytest.raises(ValueError, match=rf": unit3\.npy: .*{message}") as error:
        custom.load(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", UNFETCHED)
def test_table_of_labels_that_is_not_there_is_said(tmp_path, kind):
    write, message = UNFETCHED[kind]
    np.save(tmp_path / "d.npy", VALUES)
    write(tmp_path / "labels.csv")
    with pytest.raises(ValueError, match=rf"labels\.csv.*{message}"):
        custom.load(tmp_path / "d.npy", labels=str(tmp_path / "labels.csv"))


@pytest.mark.parametrize("kind", UNFETCHED)
def test_mask_that_is_not_there_is_said(tmp_path, kind):
    write, message = UNFETCHED[kind]
    nibabel = pytest.importorskip("nibabel")
    nibabel.save(nibabel.Nifti1Image(np.zeros((2, 2, 2, 9)), np.eye(4)), tmp_path / "d.nii.gz")
    write(tmp_path / "mask.nii.gz")
    with pytest.raises(ValueError, match=rf"its mask .*mask\.nii\.gz: .*{message}"):
        custom.load(tmp_path / "d.nii.gz", mask=str(tmp_path / "mask.nii.gz"))


@pytest.mark.parametrize("name", ["d.npy", "d.npz", "d.mat", "d.nc", "d.h5", "d.pt", "d.parquet"])
@pytest.mark.parametrize("part", [0.3, 0.7, 0.98])
def test_a_file_that_is_cut_short_gives_one_sentence(tmp_path, name, part):
    whole = {
        "d.npy": lambda p: np.save(p, VALUES),
        "d.npz": lambda p: np.savez(p, activity=VALUES),
        "d.mat": lambda p: scipy.io.savemat(p, {"activity": VALUES}),
        "d.nc": lambda p: xr.DataArray(VALUES, name="activity").to_netcdf(p),
        "d.h5": write_hdf5,
        "d.pt": write_torch,
        "d.parquet": lambda p: pd.DataFrame(VALUES, columns=list("abcde")).to_parquet(p),
    }
    whole[name](tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(part * len(content))])
    with pytest.raises(ValueError) as error:
        custom.load(tmp_path / name)
    assert str(error.value).startswith(str(tmp_path / name))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("dtype", "offset", "scale"), [("float16", 500, 5), ("float32", 1e5, 1), ("int16", 300, 40)]
)
def test_averages_are_in_double_precision(tmp_path, dtype, offset, scale):
    trials = (offset + scale * RNG.normal(size=(10, 200, 5))).astype(dtype)
    np.savez(tmp_path / "d.npz", activity=trials.reshape(-1, 5), s=np.repeat(np.arange(10), 200))
    array = custom.load(tmp_path / "d.npz", average_by=["s"])
    np.testing.assert_allclose(array.values, trials.astype(float).mean(1), rtol=1e-13)
    assert array.attrs["precision"] == dtype


def test_booleans_are_counts(tmp_path):
    spikes = RNG.random((24, 5)) < 0.5
    spikes[:, 2] = True
    np.savez(tmp_path / "d.npz", activity=spikes)
    array = custom.load(tmp_path / "d.npz", drop=["constant_neurons"])
    np.testing.assert_array_equal(array.values, spikes[:, [0, 1, 3, 4]])


@pytest.mark.parametrize("name", ["first_half", "second_half", "activity_label", "neuron_id"])
def test_labels_may_have_any_name(tmp_path, name):
    from scorebounds.core.recording import read_recording, write_recording

    np.savez(tmp_path / "d.npz", activity=VALUES, **{name: SIDE}, s=np.arange(24) // 4)
    array = custom.load(tmp_path / "d.npz", average_by=["s"] if "half" not in name else ())
    write_recording(tmp_path / "out.nc", array.assign_attrs(dataset="d"), "d")
    assert read_recording(tmp_path / "out.nc").attrs["variables"] == array.attrs["variables"]


def test_names_of_a_plain_array_come_from_the_table_of_labels(tmp_path):
    np.save(tmp_path / "d.npy", VALUES)
    pd.DataFrame({"file": NAMES, "side": SIDE}).to_csv(tmp_path / "t.csv", index=False)
    array = custom.load(tmp_path / "d.npy", labels=str(tmp_path / "t.csv"), names="file")
    assert array.row_name.values.tolist() == NAMES.tolist()
    assert array.attrs["variables"] == ["side"]


def test_a_missing_package_is_named_with_the_command_that_installs_it(tmp_path, monkeypatch):
    import builtins

    write_zarr(tmp_path / "d.zarr")
    import_module = builtins.__import__

    def without_zarr(name, *arguments, **options):
        if name == "zarr":
            raise ImportError(name)
        return import_module(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_zarr)
    with pytest.raises(ValueError, match=r"needs zarr: pip install 'scorebounds\[formats\]'"):
        custom.load(tmp_path / "d.zarr")


def test_files_of_a_folder_are_the_neurons(tmp_path):
    folder = tmp_path / "units"
    folder.mkdir()
    trials = RNG.normal(size=(12, 5, 11))
    for unit in range(11):
        content = {"rates": trials[..., unit], "choice": np.arange(12) % 2}
        scipy.io.savemat(folder / f"unit{unit + 1}.mat", content)
    array = custom.load(folder, axes=["trial", "time", "neuron"])
    np.testing.assert_array_equal(array.values, trials.transpose(1, 0, 2))
    assert array.attrs["variables"] == ["choice"]
    scipy.io.savemat(folder / "unit3.mat", {"rates": trials[:8, :, 2], "choice": np.zeros(8)})
    with pytest.raises(ValueError, match=r"of the same shape in all files.*in unit3\.mat"):
        custom.load(folder, axes=["trial", "time", "neuron"])


@pytest.mark.parametrize(
    ("shape", "axes"), [((8, 60), ["neuron", "sample"]), ((60, 4, 8), ["trial", "time", "neuron"])]
)
def test_labels_along_another_axis_deny_the_order_of_axes(tmp_path, shape, axes):
    values = RNG.normal(size=shape)
    np.savez(tmp_path / "d.npz", activity=values, choice=np.arange(60) % 2)
    with pytest.raises(ValueError, match=r"'choice' with 60 values.*say in `axes`"):
        custom.load(tmp_path / "d.npz")
    array = custom.load(tmp_path / "d.npz", axes=axes)
    assert array.sizes["neuron"] == 8
    assert array.attrs["variables"] == ["choice"]


def test_properties_of_neurons_deny_nothing(tmp_path):
    np.savez(tmp_path / "d.npz", activity=VALUES, region=["V1"] * 5, neuron_depth=np.arange(5))
    assert custom.load(tmp_path / "d.npz").shape == (24, 5)


def test_other_files_in_an_npz_are_left_out(tmp_path):
    import zipfile

    np.savez(tmp_path / "d.npz", activity=VALUES)
    with zipfile.ZipFile(tmp_path / "d.npz", "a") as archive:
        archive.writestr("README.txt", "hello")
    assert "'README.txt', which is no array" in custom.load(tmp_path / "d.npz").attrs["history"]


@pytest.mark.parametrize("array", [None, "trials.response"])
def test_an_array_of_matlab_structures_has_a_trial_each(tmp_path, array):
    trials = np.zeros(24, dtype=[("response", "O"), ("side", "O"), ("dose", "O")])
    for number in range(24):
        trials[number] = (VALUES[number], str(SIDE[number]), number % 3)
    scipy.io.savemat(tmp_path / "d.mat", {"trials": trials})
    loaded = custom.load(tmp_path / "d.mat", array=array)
    np.testing.assert_array_equal(loaded.values, VALUES)
    assert loaded["trials.side"].values.tolist() == SIDE.tolist()
    assert loaded["trials.dose"].values.tolist() == (np.arange(24) % 3).tolist()


def test_matlab_cells_of_equal_vectors_are_rows(tmp_path):
    cells = np.empty(24, dtype=object)
    cells[:] = list(VALUES)
    scipy.io.savemat(tmp_path / "d.mat", {"activity": cells})
    np.testing.assert_array_equal(custom.load(tmp_path / "d.mat").values, VALUES)


@pytest.mark.parametrize(("unit", "factor"), [("s", 1000.0), ("ms", 1.0), ("milliseconds", 1.0)])
def test_unit_of_the_times_in_a_file_is_used(tmp_path, unit, factor):
    times = np.array([0.0, 0.05, 0.1, 0.15])
    xr.DataArray(
        RNG.normal(size=(4, 12, 5)),
        dims=("time", "trial", "unit"),
        coords={"time": ("time", times, {"units": unit})},
        name="activity",
    ).to_netcdf(tmp_path / "d.nc")
    array = custom.load(tmp_path / "d.nc")
    np.testing.assert_allclose(array.time.values, factor * times)
    assert array.time.attrs["units"] == "ms"


def test_a_last_axis_of_one_is_no_single_neuron(tmp_path):
    np.save(tmp_path / "d.npy", VALUES[:, :, None])
    with pytest.raises(ValueError, match="save it without its last axis"):
        custom.load(tmp_path / "d.npy")


@pytest.mark.parametrize("name", ["d.pt", "d.safetensors"])
def test_weights_of_a_network_are_no_activations(tmp_path, name):
    from safetensors.torch import save_file

    weights = torch.nn.Sequential(torch.nn.Linear(5, 24), torch.nn.BatchNorm1d(24)).state_dict()
    (torch.save if name == "d.pt" else save_file)(weights, tmp_path / name)
    with pytest.raises(ValueError, match="expected activations, got the weights of a network"):
        custom.load(tmp_path / name)


@pytest.mark.parametrize(
    ("times", "unit", "reason"),
    [
        ([3, 2, 1, 0], "ms", "they are no rising numbers"),
        ([0, 1, 2, 3], "days since 2020-01-01", "their unit is 'days since 2020-01-01'"),
    ],
)
def test_times_that_are_not_used_are_said(tmp_path, caplog, times, unit, reason):
    array = xr.DataArray(RNG.normal(size=(4, 6, 5)), dims=("time", "stimulus", "neuron"))
    array.coords["time"] = ("time", times, {"units": unit})
    array.to_dataset(name="activity").to_netcdf(tmp_path / "d.nc")
    assert "time" not in custom.load(tmp_path / "d.nc").coords
    assert f"did not use the times of 'time': {reason}" in caplog.text


def test_constant_neurons_are_warned_of(tmp_path, caplog):
    values = VALUES.copy()
    values[:, [1, 3]] = [0, 7]
    np.save(tmp_path / "d.npy", values)
    assert custom.load(tmp_path / "d.npy").shape == (24, 5)
    assert "constant, so that no score can see them: 2 neuron(s): number 1, 3" in caplog.text
    assert custom.load(tmp_path / "d.npy", drop=["constant_neurons"]).shape == (24, 3)


def test_a_genuine_image_of_nibabel_is_read(tmp_path):
    nibabel = pytest.importorskip("nibabel")
    path = Path(nibabel.__file__).parent / "tests" / "data" / "example4d.nii.gz"
    if not path.is_file():
        pytest.skip("this installation of nibabel has no test data")
    image = nibabel.load(path)
    inside = np.asarray(image.dataobj)[..., 0] > 700
    nibabel.save(nibabel.Nifti1Image(inside.astype(np.uint8), image.affine), tmp_path / "mask.nii")
    array = custom.load(path, mask=str(tmp_path / "mask.nii"))
    np.testing.assert_array_equal(array.values, np.asarray(image.dataobj)[inside].T)


MATLAB_FILES = Path(scipy.io.matlab.__file__).parent / "tests" / "data"


@pytest.mark.skipif(not MATLAB_FILES.is_dir(), reason="this installation of SciPy has no test data")
def test_genuine_matlab_files_are_read_or_refused_in_one_sentence():
    n_read, said = 0, []
    for path in sorted(MATLAB_FILES.glob("*.mat")):
        try:
            array = custom.load(path)
        except ValueError as error:
            said.append(str(error).removeprefix(f"{path}: "))
        else:
            n_read += 1
            assert np.isfinite(array.values).all()
    assert n_read >= 10
    assert not [text for text in said if "\n" in text or str(MATLAB_FILES) in text]
