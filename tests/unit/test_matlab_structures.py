"""Arrays of structures of MATLAB files, and HDF5 by who wrote it."""

import h5py
import numpy as np
import pytest
import scipy.io

from scorebounds.datasets.readers import custom

RNG = np.random.default_rng(3)
VALUES = RNG.normal(size=(24, 5))
SIDE = np.tile(["left", "right"], 12)
NAMES = [f"im_{number:02}" for number in range(24)]


def write_5(path, structures, **within):
    """Write arrays of structures, by name and field, as versions 5 to 7; `within`: nested ones."""
    content = {}
    for name, fields in structures.items():
        kinds = [(field, object) for field in (*fields, *within)]
        content[name] = np.empty(len(next(iter(fields.values()))), dtype=kinds)
        for place in range(len(content[name])):
            inner = [{f: v[place] for f, v in parts.items()} for parts in within.values()]
            content[name][place] = (*(values[place] for values in fields.values()), *inner)
    scipy.io.savemat(path, content)


def write_73(path, structures, **within):
    """Write the same as HDF5, in the form of version 7.3: a reference for each element."""
    with h5py.File(path, "w", userblock_size=512) as file:
        stored = file.create_group("#refs#")

        def reference(value):
            text = isinstance(value, str)
            codes = [[ord(letter)] for letter in value] if text else np.atleast_2d(value).T
            item = stored.create_dataset(str(len(stored)), data=np.array(codes))
            item.attrs["MATLAB_class"] = np.bytes_("char" if text else "double")
            return item.ref

        def group_of(fields, place):
            group = stored.create_group(f"g{len(stored)}")
            group.attrs["MATLAB_class"] = np.bytes_("struct")
            for field, values in fields.items():
                group[field] = file[reference(values[place])]
            return group.ref

        for name, fields in structures.items():
            group = file.create_group(name)
            group.attrs["MATLAB_class"] = np.bytes_("struct")
            n_elements = len(next(iter(fields.values())))
            for field, values in fields.items():
                cells = [[reference(value)] for value in values]
                group.create_dataset(field, data=cells, dtype=h5py.ref_dtype)
            for field, parts in within.items():
                cells = [[group_of(parts, place)] for place in range(n_elements)]
                group.create_dataset(field, data=cells, dtype=h5py.ref_dtype)


@pytest.mark.parametrize("write", [write_5, write_73])
@pytest.mark.parametrize("array", [None, "trials", "trials.rate"])
def test_a_structure_for_each_trial_is_a_row(tmp_path, write, array):
    rt = RNG.random(24)
    fields = {"rate": VALUES, "side": SIDE.tolist(), "image": NAMES, "rt": rt}
    write(tmp_path / "d.mat", {"trials": fields})
    loaded = custom.load(tmp_path / "d.mat", array=array)
    np.testing.assert_array_equal(loaded.values, VALUES)
    assert loaded.attrs["variables"] == ["trials.side"]
    assert loaded["trials.side"].values.tolist() == SIDE.tolist()
    assert loaded.row_name.values.tolist() == NAMES


@pytest.mark.parametrize("write", [write_5, write_73])
def test_structures_within_structures_are_named_by_path(tmp_path, write):
    write(tmp_path / "d.mat", {"trials": {"n": np.arange(24.0)}}, data={"rate": VALUES})
    loaded = custom.load(tmp_path / "d.mat", array="trials.data.rate")
    np.testing.assert_array_equal(loaded.values, VALUES)


@pytest.mark.parametrize("write", [write_5, write_73])
def test_a_structure_for_each_unit_is_no_sample(tmp_path, write):
    write(tmp_path / "d.mat", {"units": {"psth": VALUES.T}})
    with pytest.raises(ValueError, match=r"the axes of 'units.psth' are named 'units', ''"):
        custom.load(tmp_path / "d.mat")
    loaded = custom.load(tmp_path / "d.mat", axes=["neuron", "sample"])
    np.testing.assert_array_equal(loaded.values, VALUES)


@pytest.mark.parametrize("write", [write_5, write_73])
def test_elements_that_differ_in_size_are_refused(tmp_path, write):
    write(
        tmp_path / "d.mat", {"trials": {"rate": [row[: 3 + n % 2] for n, row in enumerate(VALUES)]}}
    )
    with pytest.raises(ValueError, match=r"expected an array named 'activity'"):
        custom.load(tmp_path / "d.mat")


@pytest.mark.parametrize("name", ["d.h5", "d.mat", "d.hdf5"])
@pytest.mark.parametrize("by_matlab", [True, False])
def test_who_wrote_hdf5_decides_on_the_order_of_axes(tmp_path, name, by_matlab):
    with h5py.File(tmp_path / name, "w") as file:
        item = file.create_dataset("rates", data=VALUES.T if by_matlab else VALUES)
        if by_matlab:
            item.attrs["MATLAB_class"] = np.bytes_("double")
    loaded = custom.load(tmp_path / name)
    np.testing.assert_array_equal(loaded.values, VALUES)
    assert ("MATLAB" in loaded.attrs["history"]) == (by_matlab != name.endswith(".mat"))


def test_damaged_files_of_version_73_end_with_one_sentence(tmp_path):
    write_73(tmp_path / "good.mat", {"trials": {"rate": VALUES}})
    content = (tmp_path / "good.mat").read_bytes()
    rng = np.random.default_rng(1)
    said = []
    for _ in range(60):
        damaged = bytearray(content)
        for place in rng.integers(0, 4000, 20):
            damaged[place] = rng.integers(256)
        (tmp_path / "d.mat").write_bytes(damaged)
        try:
            custom.load(tmp_path / "d.mat")
        except ValueError as error:
            said.append(str(error))
    assert len(said) > 40
    assert not any("\n" in sentence for sentence in said)
