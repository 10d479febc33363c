"""Files that were made to do harm: to run a program, to fill the memory, to write elsewhere."""

import io
import json
import os
import pickle
import re
import tracemalloc
import zipfile
from pathlib import Path

import h5py
import nibabel
import numpy as np
import pandas as pd
import pytest
import scipy.io
import torch
import xarray as xr
import zarr

import scorebounds
from scorebounds.cli import main
from scorebounds.datasets import hatsopoulos2007
from scorebounds.datasets.brainscore import open_assembly
from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.matlab import open_matlab
from scorebounds.datasets.readers import custom
from scorebounds.datasets.readers.inspect import inspect_file

# Three copies in double precision are more than the memory that the tests leave free.
LARGE = np.zeros((50_000, 4))
FREE = 1_000_000
SMALL = np.random.default_rng(0).standard_normal((30, 4))


def write_hdf5(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("activity", data=LARGE, compression="gzip")


def write_matlab(path):
    scipy.io.savemat(path, {"activity": LARGE}, do_compression=True)


def write_cells(path):
    cells = np.empty((1, 1), dtype=object)
    cells[0, 0] = LARGE
    scipy.io.savemat(path, {"activity": cells}, do_compression=True)


def write_structure(path):
    scipy.io.savemat(path, {"s": {"activity": LARGE}}, do_compression=True)


def write_cells_of_hdf5(path, *, inside=None):
    """Write a cell array that holds one small array, or itself, very often."""
    with h5py.File(path, "w") as file:
        part = file.create_dataset("#refs#/a", data=SMALL)
        cells = file.create_dataset("activity", (1, 2_000), h5py.ref_dtype)
        cells.attrs["MATLAB_class"] = np.bytes_("cell")
        cells[...] = (cells if inside == "itself" else part).ref


def write_zarr(path):
    zarr.create_array(path, data=LARGE)


def write_sparse_tensor(path):
    torch.save(sparse(0), path)


def sparse(row):
    place = torch.tensor([[row], [0]])
    return torch.sparse_coo_tensor(place, [1.0], LARGE.shape, check_invariants=False)


def write_repeated_tensor(path):
    torch.save(torch.zeros(1).expand(LARGE.shape), path)


def write_packed_tensor(path):
    stored = io.BytesIO()
    torch.save({"activity": torch.zeros(LARGE.shape)}, stored)
    with (
        zipfile.ZipFile(stored) as archive,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for member in archive.namelist():
            packed.writestr(member, archive.read(member))


TABLE = pd.DataFrame(LARGE, columns=list("abcd"))
LARGE_FILES = {
    "d.npz": lambda path: np.savez_compressed(path, activity=LARGE),
    "d.h5": write_hdf5,
    "d.nc": write_hdf5,
    "d.mat": write_matlab,
    "cells.mat": write_cells,
    "structure.mat": write_structure,
    "v73.mat": write_hdf5,
    "cells73.mat": write_cells_of_hdf5,
    "d.zarr": write_zarr,
    "d.parquet": TABLE.to_parquet,
    "d.feather": lambda path: TABLE.to_feather(path, compression="zstd"),
    "d.csv.gz": lambda path: TABLE.to_csv(path, index=False),
    "sparse.pt": write_sparse_tensor,
    "repeated.pt": write_repeated_tensor,
    "packed.pt": write_packed_tensor,
    "d.nii.gz": lambda path: write_image(path, (10, 10, 20, 100)),
}


def write_image(path, shape):
    nibabel.save(nibabel.Nifti1Image(np.zeros(shape), np.eye(4)), path)


@pytest.mark.parametrize("name", LARGE_FILES)
def test_small_file_of_a_large_array_is_refused_before_it_is_read(tmp_path, monkeypatch, name):
    path = tmp_path / name
    LARGE_FILES[name](path)
    size = sum(file.stat().st_size for file in (path, *path.rglob("*")))
    assert size < LARGE.nbytes / 3
    memory = type("Memory", (), {"available": FREE})
    monkeypatch.setattr("psutil.virtual_memory", lambda: memory)
    entry = {}
    if name.endswith(".nii.gz"):
        entry["mask"] = str(tmp_path / "mask.nii.gz")
        nibabel.save(nibabel.Nifti1Image(np.ones((10, 10, 20)), np.eye(4)), entry["mask"])
    with pytest.raises(ValueError, match=rf"{name}.* needs .* GB of memory .* are free") as error:
        custom.load(path, **entry)
    assert "\n" not in str(error.value)


def test_cells_that_hold_themselves_are_refused(tmp_path):
    write_cells_of_hdf5(tmp_path / "d.mat", inside="itself")
    with pytest.raises(ValueError, match="is a cell array that holds itself"):
        custom.load(tmp_path / "d.mat")


@pytest.mark.parametrize("kind", ["cell", ""])
def test_what_references_point_at_may_not_be_in_other_files(tmp_path, monkeypatch, kind):
    path, other = tmp_path / "d.mat", tmp_path / "other"
    SMALL.tofile(other)
    with h5py.File(path, "w") as file:
        # No link need lead to it, so that a search of all links would not find it.
        outside = file.create_dataset(
            "#refs#/a", SMALL.shape, "f8", external=[(str(other), 0, SMALL.nbytes)]
        )
        file.create_dataset("activity", data=[[outside.ref]], dtype=h5py.ref_dtype)
        file["activity"].attrs["MATLAB_class"] = np.bytes_(kind)
    monkeypatch.setattr("scorebounds.datasets.matlab.require_own_data", lambda *_: None)
    with (
        pytest.raises(ValueError, match="the target of a reference' keeps its values in other"),
        open_matlab(path) as file,
    ):
        file.read("activity")


def link_outside(file, other):
    file["spikes"] = h5py.ExternalLink(str(other), "/x")


def store_outside(file, other):
    file.create_dataset("spikes", SMALL.shape, "f8", external=[(str(other), 0, SMALL.nbytes)])


@pytest.mark.parametrize("outside", [link_outside, store_outside])
@pytest.mark.parametrize(
    "read", [lambda path: hatsopoulos2007.load([path]), open_assembly, custom.load]
)
def test_hdf5_of_the_catalogue_that_reads_other_files_is_refused(tmp_path, outside, read):
    path, other = tmp_path / "d.mat", tmp_path / "other"
    if outside is link_outside:
        with h5py.File(other, "w") as file:
            file["x"] = SMALL
    else:
        SMALL.tofile(other)
    with h5py.File(path, "w") as file:
        file["stmv_cell"] = np.ones(8)
        file["stmv_cell"].attrs["MATLAB_class"] = np.bytes_("double")
        outside(file, other)
    with pytest.raises(ValueError, match=r"into another file|keeps its values in other files"):
        read(path)
    with (
        pytest.raises(UnusableError, match=r"into another file|keeps its values in other files"),
        open_matlab(path),
    ):
        pass


LONG = np.array(["x" * 30_000] * len(SMALL))


def write_netcdf_text(path):
    xr.Dataset(
        {"activity": (("row", "neuron"), SMALL), "label": ("row", LONG.astype("S"))}
    ).to_netcdf(path, engine="h5netcdf", encoding={"label": {"zlib": True}})


def write_hdf5_text(path):
    with h5py.File(path, "w") as file:
        file["activity"] = SMALL
        file.create_dataset("label", data=LONG.astype("S"), compression="gzip")


# One long cell among short ones.
CELLS = ["x" * 120_000, *["y", "z"] * (len(SMALL) // 2 - 1), "y"]
CELLS_TABLE = pd.DataFrame(SMALL, columns=list("abcd")).assign(label=CELLS)


def write_hdf5_cells(path):
    with h5py.File(path, "w") as file:
        file["activity"] = SMALL
        file.create_dataset("label", data=CELLS, dtype=h5py.string_dtype())


def write_netcdf_cells(path):
    cells = np.array(CELLS, dtype=object)
    xr.Dataset({"activity": (("row", "neuron"), SMALL), "label": ("row", cells)}).to_netcdf(
        path, engine="h5netcdf"
    )


def write_zarr_cells(path):
    group = zarr.open_group(path, mode="w", zarr_format=2)
    group.create_array("activity", data=SMALL)
    group.create_array("label", data=np.array(CELLS, dtype=np.dtypes.StringDType()))


LONG_LABELS = {
    "cells.h5": write_hdf5_cells,
    "cells.nc": write_netcdf_cells,
    "cells.zarr": write_zarr_cells,
    "cells.csv": lambda path: CELLS_TABLE.to_csv(path, index=False),
    "cells.parquet": CELLS_TABLE.to_parquet,
    "cells.feather": CELLS_TABLE.to_feather,
    "d.npz": lambda path: np.savez_compressed(path, activity=SMALL, label=LONG),
    "d.h5": write_hdf5_text,
    "d.nc": write_netcdf_text,
}


@pytest.mark.parametrize("name", LONG_LABELS)
def test_long_labels_are_left_out_before_they_are_read(tmp_path, monkeypatch, caplog, name):
    LONG_LABELS[name](tmp_path / name)
    memory = type("Memory", (), {"available": FREE})
    monkeypatch.setattr("psutil.virtual_memory", lambda: memory)
    assert "label" not in custom.load(tmp_path / name).coords
    tracemalloc.start()
    custom.load(tmp_path / name)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The cells as text of fixed width take 14 MB.
    assert peak < 8_000_000
    assert re.search(r"'label' of shape \(30,.*\) needs .* GB of memory", caplog.text)


def test_long_column_that_is_asked_for_is_refused(tmp_path, monkeypatch):
    CELLS_TABLE.to_csv(tmp_path / "d.csv", index=False)
    CELLS_TABLE[["label"]].to_csv(tmp_path / "l.csv", index=False)
    np.save(tmp_path / "d.npy", SMALL)
    memory = type("Memory", (), {"available": FREE})
    monkeypatch.setattr("psutil.virtual_memory", lambda: memory)
    with pytest.raises(ValueError, match=r"'label' of shape \(30,\) needs"):
        custom.load(tmp_path / "d.csv", columns={"label": "label"})
    with pytest.raises(ValueError, match=r"l\.csv: 'label' of shape \(30,\) needs"):
        custom.load(tmp_path / "d.npy", labels=str(tmp_path / "l.csv"))


@pytest.mark.parametrize("name", ["l.csv.gz", "l.parquet"])
def test_large_table_of_labels_is_refused_before_it_is_read(tmp_path, monkeypatch, name):
    np.savez(tmp_path / "d.npz", activity=SMALL)
    LARGE_FILES[name.replace("l.", "d.")](tmp_path / name)
    memory = type("Memory", (), {"available": FREE})
    monkeypatch.setattr("psutil.virtual_memory", lambda: memory)
    with pytest.raises(ValueError, match=r"needs .* GB of memory .* are free"):
        custom.load(tmp_path / "d.npz", labels=str(tmp_path / name))


def test_header_that_cannot_be_read_is_one_sentence(tmp_path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': ((".ljust(117) + b"\n"
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    (tmp_path / "d.npy").write_bytes(content)
    with pytest.raises(ValueError, match="has a header that cannot be read; save it again"):
        custom.load(tmp_path / "d.npy")


@pytest.mark.parametrize(
    "name", ["intervals/trials/start_time", "units/spike_times", "lfp/data", "lfp/timestamps"]
)
def test_large_part_of_nwb_is_refused_before_it_is_read(tmp_path, monkeypatch, name):
    size, trials = 10_000_000, np.arange(5.0)
    parts = {
        "intervals/trials/start_time": trials,
        "units/spike_times": trials,
        "lfp/data": np.zeros(500),
        "lfp/timestamps": np.arange(500) / 100,
    }
    with h5py.File(tmp_path / "d.nwb", "w") as file:
        file["units/spike_times_index"] = [5]
        for part, values in parts.items():
            if part == name:
                # Nothing but fill values, which take no space in the file.
                file.create_dataset(part, (size,), "f8", chunks=(size,), compression="gzip")
            else:
                file[part] = values
        file["intervals/trials/id"] = np.arange(len(file["intervals/trials/start_time"]))
    memory = type("Memory", (), {"available": FREE})
    monkeypatch.setattr("psutil.virtual_memory", lambda: memory)
    array = "lfp" if name.startswith("lfp") else None
    with pytest.raises(ValueError, match=rf"'{name}' of shape \({size},\) needs 0\.1 GB"):
        custom.load(tmp_path / "d.nwb", array=array, align="start_time", window=[0, 40], bin=20)


def npy_with(header, version=1, content=b""):
    length = len(header).to_bytes(2 * version, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + content


def test_long_header_is_refused_before_it_is_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "d.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("activity.npy", npy_with(b" " * 50_000_000, version=2))
    tracemalloc.start()
    with pytest.raises(ValueError, match="'activity' has a header of 50000000 bytes, expected at"):
        custom.load(tmp_path / "d.npz")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"{'descr': '<f8', 'fortran_order': False, 'shape': (-3, -4)}\n", r"shape \(-3, -4\)"),
        (b"(" * 5000 + b"\n", "has a header that cannot be read|cannot be read: "),
    ],
)
def test_odd_header_of_an_array_is_one_sentence(tmp_path, header, message):
    (tmp_path / "d.npy").write_bytes(npy_with(header, content=bytes(96)))
    with pytest.raises(ValueError, match=message) as error:
        custom.load(tmp_path / "d.npy")
    assert "\n" not in str(error.value)
    assert "unknown dimension" not in str(error.value)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("[]", "expected a header with names of tensors, got a list"),
        ("3", "expected a header with names of tensors, got a int"),
        ("[" * 100_000, "expected a header in JSON"),
        ('{"a": [1]}', r"expected type, shape and place of 'a' in the header, got \[1\]"),
        ('{"a": {"dtype": "F64", "shape": 3, "data_offsets": [0, 24]}}', "type, shape and place"),
        ('{"a": {"dtype": "F64", "shape": [-3], "data_offsets": [0, 24]}}', "type, shape and pl"),
        ('{"a": {"dtype": "F64", "shape": [3], "data_offsets": [24]}}', r"as \[begin, end\]"),
    ],
)
def test_odd_header_of_tensors_is_one_sentence(tmp_path, header, message):
    content = len(header).to_bytes(8, "little") + header.encode() + bytes(96)
    (tmp_path / "d.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        custom.load(tmp_path / "d.safetensors")
    assert "\n" not in str(error.value)


def test_file_that_gives_a_size_beyond_the_memory_is_named(tmp_path, monkeypatch):
    def load(*_, **__):
        raise MemoryError

    scipy.io.savemat(tmp_path / "d.mat", {"activity": SMALL})
    monkeypatch.setattr("scipy.io.loadmat", load)
    with pytest.raises(ValueError, match=r"d\.mat: needs more memory than is free") as error:
        custom.load(tmp_path / "d.mat")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("place", ["torch.load", "torch.Tensor.to_dense"])
def test_tensor_that_does_not_fit_into_memory_is_not_called_damaged(tmp_path, monkeypatch, place):
    torch.save({"activity": torch.ones(30, 4)}, tmp_path / "d.pt")
    monkeypatch.setattr(place, lambda *_, **__: torch.empty(10**15))
    with pytest.raises(ValueError, match=r"d\.pt: needs more memory than is free") as error:
        custom.load(tmp_path / "d.pt")
    assert "\n" not in str(error.value)
    if place == "torch.load":
        with pytest.raises(RuntimeError, match="can't allocate memory"):
            inspect_file(tmp_path / "d.pt")


def test_large_mask_is_refused_before_it_is_read(tmp_path, monkeypatch):
    write_image(tmp_path / "d.nii.gz", (100, 100, 20, 2))
    write_image(tmp_path / "mask.nii.gz", (100, 100, 20))
    memory = type("Memory", (), {"available": FREE})
    monkeypatch.setattr("psutil.virtual_memory", lambda: memory)
    with pytest.raises(ValueError, match=r"'mask\.nii\.gz' of shape \(100, 100, 20\) needs"):
        custom.load(tmp_path / "d.nii.gz", mask=str(tmp_path / "mask.nii.gz"))


def test_sparse_tensor_with_places_outside_of_it_is_refused(tmp_path):
    torch.save({"activity": sparse(10**9)}, tmp_path / "d.pt")
    with pytest.raises(ValueError, match="a damaged file; save a tensor"):
        custom.load(tmp_path / "d.pt")


class Program:
    """What makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def write_zipped_pickle(path, content):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("activity.npy", npy_of(content))


def npy_of(content):
    stored = io.BytesIO()
    np.save(stored, np.array([content, content], dtype=object), allow_pickle=True)
    return stored.getvalue()


PICKLES = {
    "d.npy": lambda path, content: path.write_bytes(npy_of(content)),
    "bare.npy": lambda path, content: path.write_bytes(pickle.dumps(content)),
    "d.npz": write_zipped_pickle,
    "d.pt": lambda path, content: torch.save({"activity": content}, path),
    "bare.pth": lambda path, content: path.write_bytes(pickle.dumps(content, protocol=2)),
    "d.mat": lambda path, content: path.write_bytes(pickle.dumps(content)),
    "d.pkl": lambda path, content: path.write_bytes(pickle.dumps(content)),
    "filter.zarr": lambda path, content: write_pickled_zarr(path, content, ["vlen-utf8", "pickle"]),
    "compressor.zarr": lambda path, content: write_pickled_zarr(path, content, ["vlen-utf8"]),
}


def write_pickled_zarr(path, content, filters):
    path.mkdir()
    metadata = {
        "zarr_format": 2,
        "shape": [30, 4],
        "chunks": [30, 4],
        "dtype": "|O",
        "order": "C",
        "fill_value": None,
        "filters": [{"id": name} for name in filters],
        "compressor": None if "pickle" in filters else {"id": "pickle"},
    }
    (path / ".zarray").write_text(json.dumps(metadata))
    (path / "0.0").write_bytes(pickle.dumps(content))


@pytest.mark.parametrize("name", PICKLES)
def test_program_in_a_file_does_not_run(tmp_path, monkeypatch, name):
    # As older versions of numcodecs do.
    monkeypatch.setattr("numcodecs.pickles.ALLOW_UNSAFE_PICKLE_DECODE", True, raising=False)
    owned = tmp_path / "owned"
    PICKLES[name](tmp_path / name, Program(owned))
    with pytest.raises(ValueError, match=name) as error:
        custom.load(tmp_path / name)
    assert "\n" not in str(error.value)
    assert not owned.exists()


CHUNKS = {
    "outside": (lambda path: path.symlink_to("../../outside"), "got a link to '../../outside'"),
    "folder": (lambda path: path.symlink_to("."), r"got a link to '\.'"),
    "broken": (lambda path: path.symlink_to("nowhere"), "it is a link to 'nowhere', which is not"),
    "annex": (lambda path: path.symlink_to("../.git/annex/objects/x"), "run `git annex get`"),
    "pipe": (os.mkfifo, "expected a file, got a device or a pipe"),
}


@pytest.mark.parametrize("kind", CHUNKS)
def test_chunk_that_is_no_file_of_its_store_is_refused(tmp_path, kind):
    write, message = CHUNKS[kind]
    (tmp_path / "outside").write_bytes(SMALL.tobytes())
    group = zarr.open_group(tmp_path / "d.zarr", mode="w", zarr_format=2)
    group.create_array("rates", shape=(30, 4), chunks=(30, 4), dtype="f8", compressors=None)
    write(tmp_path / "d.zarr/rates/0.0")
    with pytest.raises(ValueError, match=rf"d\.zarr: rates/0\.0: .*{message}") as error:
        custom.load(tmp_path / "d.zarr")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("member", ["../outside.npy", "/tmp/scorebounds-outside.npy"])
def test_archive_is_not_unpacked(tmp_path, member):
    stored = io.BytesIO()
    np.save(stored, np.random.default_rng(0).standard_normal((30, 4)))
    folder = tmp_path / "inner"
    folder.mkdir()
    with zipfile.ZipFile(folder / "d.npz", "w") as archive:
        archive.writestr(member, stored.getvalue())
    assert custom.load(folder / "d.npz").shape == (30, 4)
    assert [path.name for path in tmp_path.rglob("*")] == ["inner", "d.npz"]
    assert not Path("/tmp/scorebounds-outside.npy").exists()


def test_names_that_change_what_is_shown_are_escaped(tmp_path, capsys):
    name = "net\x1b[31m\u202e<b>"
    labels = np.array(["left\x1b[2J", "right\u202e"] * 15)
    np.savez(tmp_path / f"{name}.npz", activity=SMALL, cue=labels)
    model = scorebounds.read(tmp_path / f"{name}.npz")
    card = scorebounds.card(model, model.copy(), ["cka"], n_permutations=19)
    card.to_html(tmp_path / "card.html")
    for path in (tmp_path / name / "gone.npz", tmp_path / f"{name}.npz"):
        with pytest.raises(SystemExit):
            main(["inspect", str(path)])
    printed = capsys.readouterr()
    page = (tmp_path / "card.html").read_text()
    for text in (page, str(card), card._repr_html_(), printed.out, printed.err):
        assert not re.search("[\x1b\u202e]", text)
    for text in (page, printed.out, printed.err):
        assert r"net\x1b[31m\u202e" in text
    assert r"\u202e<b>" not in page + card._repr_html_()


def test_link_to_a_file_of_the_same_store_is_followed(tmp_path):
    path = tmp_path / "d.zarr"
    zarr.create_array(path, data=SMALL, chunks=(30, 4), zarr_format=2)
    (path / "0.0").rename(path / "content")
    (path / "0.0").symlink_to("content")
    np.testing.assert_array_equal(custom.load(path).values, SMALL)
