"""The paper's recordings, each from a small file of exactly its format."""

import io
import zipfile

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import xarray as xr

from helpers.recordings import UNITS, load, unit_bytes, write_archive
from scorebounds.datasets import hatsopoulos2007

OTHER_MONKEY = "PFC data/PFC data 2/fe111019_2_a1_Vstim_100_850_ms.mat"


def test_mante_units_are_read_from_the_zip_by_monkey(tmp_path):
    members = [
        ("PFC data/", b""),
        (UNITS.format(4), unit_bytes(tmp_path, rate=30)),
        (UNITS.format(3), unit_bytes(tmp_path, rate=20, levels=(0.03, 0.12, 0.6))),
        (UNITS.format(5), unit_bytes(tmp_path, drop=1)),
        (OTHER_MONKEY, unit_bytes(tmp_path, rate=10)),
        ("__MACOSX/PFC data/PFC data 1/._ar090313_1_a1_Vstim_100_850_ms.mat", b"resource fork"),
        ("PFC data/read me.txt", b"text"),
    ]
    path = write_archive(tmp_path / "PFC-data.zip", members)
    first = load("mante2013", [path], monkeys=["A"])
    assert first.shape == (15, 72, 2)
    # Units come in the order of their names, wherever they are in the zip.
    assert first.values[..., 1].sum() > first.values[..., 0].sum()
    assert "left out 1 of 3 units" in first.attrs["history"]
    assert "ar090315_1_a1_Vstim_100_850_ms (71)" in first.attrs["history"]
    other = load("mante2013", [path], monkeys=["F"])
    assert other.shape == (15, 72, 1)
    both = load("mante2013", [path], monkeys=["A", "F"])
    assert np.array_equal(both.values, np.concatenate([first, other], axis=2))
    assert sorted(tmp_path.iterdir()) == sorted([path, tmp_path / "unit.mat"])


def test_genuine_units_are_the_same_through_a_zip(tmp_path, mirror):
    files = sorted((mirror / "mante2013-subset").glob("*.mat"))
    members = [(f"PFC data/PFC data 1/{file.name}", file.read_bytes()) for file in files]
    path = write_archive(tmp_path / "PFC-data.zip", members)
    assert load("mante2013", [path], monkeys=["A"]).equals(load("mante2013-subset", files))
    with pytest.raises(ValueError, match=r"expected files of monkey F named like fe090313_1_a1"):
        load("mante2013", [path], monkeys=["F"])


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("../ar090313_1_a1_Vstim_100_850_ms.mat", b"")], "expected files within the archive"),
        ([("/etc/ar090313_1_a1_Vstim_100_850_ms.mat", b"")], "expected files within the archive"),
        ([("C:/ar090313_1_a1_Vstim_100_850_ms.mat", b"")], "expected files within the archive"),
        ([("a\\..\\..\\b.mat", b"")], "expected files within the archive"),
        ([(UNITS.format(3), bytes(50_000_001))], "at most 50 MB, got"),
        ([(UNITS.format(3), b"no"), ("x/" + UNITS.format(3), b"no")], "each unit once, got"),
        ([(UNITS.format(3), b"no MATLAB")], "expected a unit of Mante et al. 2013"),
        ([("PFC data/other.mat", b"")], "expected files of monkey A named like"),
    ],
)
def test_archive_that_is_not_the_one_is_refused(tmp_path, members, message):
    path = write_archive(tmp_path / "PFC-data.zip", members)
    with pytest.raises(ValueError, match=message) as error:
        load("mante2013", [path], monkeys=["A"])
    assert str(path) in str(error.value)


def test_declared_size_bounds_what_is_unpacked(tmp_path):
    """A member that says it is small is not unpacked beyond what it says."""
    path = write_archive(tmp_path / "PFC-data.zip", [])
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(UNITS.format(3), bytes(60_000_000))
    size = (60_000_000).to_bytes(4, "little")
    path.write_bytes(content.getvalue().replace(size, (1000).to_bytes(4, "little")))
    with pytest.raises(ValueError, match=r"expected a (zip file|unit of Mante)"):
        load("mante2013", [path], monkeys=["A"])


def reach_recording():
    """Spike times in seconds of three units on two channels, and onsets for eight targets."""
    onsets = [np.array([1.0 + 2 * target, 20.0 + 2 * target]) for target in range(8)]
    onsets[3] = onsets[3][:1]
    first = np.concatenate([onset + 0.01 for onset in onsets])
    second = np.concatenate([onset + 0.2 + np.linspace(0, 0.04, 3)[:, None] for onset in onsets], 1)
    third = np.sort(np.concatenate([onset + 0.46 for onset in onsets[:4]]))
    return [np.sort(first), np.sort(second.ravel()), third], onsets


def write_version_7(path):
    units, onsets = reach_recording()
    spikes = np.empty((2, 2), dtype=object)
    spikes[0, 0], spikes[0, 1], spikes[1, 0] = units
    spikes[1, 1] = np.empty((0, 0))
    cells = np.empty((8, 1), dtype=object)
    cells[:, 0] = onsets
    scipy.io.savemat(path, {"spikes": spikes, "stmv_cell": cells, "x": np.zeros((5, 2))})


def write_version_73(path):
    """Write HDF5 as MATLAB 7.3 does: column-major, cells as references, a header of 512 bytes."""
    units, onsets = reach_recording()
    with h5py.File(path, "w", userblock_size=512) as file:

        def stored(name, values):
            item = file.create_dataset(name, data=values)
            item.attrs["MATLAB_class"] = np.bytes_("double")
            return item.ref

        def cell(name, references):
            item = file.create_dataset(name, data=references, dtype=h5py.ref_dtype)
            item.attrs["MATLAB_class"] = np.bytes_("cell")

        refs = [
            stored(f"#refs#/{key}", unit[:, None]) for key, unit in zip("abc", units, strict=True)
        ]
        empty = file.create_dataset("#refs#/d", data=np.array([0, 0], dtype=np.uint64))
        empty.attrs["MATLAB_class"] = np.bytes_("double")
        empty.attrs["MATLAB_empty"] = np.uint8(1)
        # (channels × units) in MATLAB is (units × channels) here.
        cell("spikes", np.array([[refs[0], refs[2]], [refs[1], empty.ref]], dtype=h5py.ref_dtype))
        times = [stored(f"#refs#/t{k}", times[:, None]) for k, times in enumerate(onsets)]
        cell("stmv_cell", np.array([times], dtype=h5py.ref_dtype))
        stored("x", np.zeros((2, 5)))
    with open(path, "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")


@pytest.mark.parametrize("write", [write_version_7, write_version_73])
def test_hatsopoulos_trials(tmp_path, write):
    path = tmp_path / "reach.mat"
    write(path)
    array = load("hatsopoulos2007", [path])
    assert array.shape == (10, 15, 3)
    assert np.bincount(array.target.values).tolist() == [2, 2, 2, 1, 2, 2, 2, 2]
    assert array.time.values.tolist() == list(range(25, 500, 50))
    # One unit fires once in the first bin, one three times in the fifth, one at some targets only.
    kernel = hatsopoulos2007._paper_kernel()
    course = np.convolve(np.eye(10)[0], kernel, "same")
    assert array.values[:, :, 0] == pytest.approx(np.repeat(course[:, None], 15, 1))
    course = 3 * np.convolve(np.eye(10)[4], kernel, "same")
    assert array.values[:, :, 1] == pytest.approx(np.repeat(course[:, None], 15, 1))
    fires = array.values[:, :, 2].sum(0) > 0
    assert np.array_equal(fires, array.target.values < 4)


def test_hatsopoulos_kernel_is_the_one_of_the_paper():
    kernel = hatsopoulos2007._paper_kernel()
    assert len(kernel) == 10
    assert kernel.sum() == pytest.approx(0.87, abs=0.005)
    assert kernel == pytest.approx(kernel[::-1])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"spikes": np.zeros((2, 2))}, "expected spike times `spikes` and movement onsets"),
        ({"spikes": np.ones(3), "stmv_cell": np.ones(3)}, "onsets for 8 targets, got 1"),
    ],
)
def test_hatsopoulos_file_that_is_another(tmp_path, content, message):
    scipy.io.savemat(tmp_path / "reach.mat", content)
    with pytest.raises(ValueError, match=message):
        load("hatsopoulos2007", [tmp_path / "reach.mat"])


def write_assembly(folder, values, presentation, neuroid, stimuli, id_name="stimulus_id"):
    """Write a netCDF file and a table as Brain-Score packages them."""
    coords = {name: ("presentation", column) for name, column in presentation.items()}
    coords |= {name: ("neuroid", column) for name, column in neuroid.items()}
    n_bins = values.shape[2]
    coords |= {"time_bin_start": ("time_bin", np.arange(n_bins))}
    coords |= {"time_bin_end": ("time_bin", np.arange(n_bins) + 1)}
    array = xr.DataArray(values, dims=("presentation", "neuroid", "time_bin"), coords=coords)
    array = array.transpose("neuroid", "presentation", "time_bin")
    array.to_netcdf(folder / "assembly.nc", engine="h5netcdf")
    pd.DataFrame(stimuli).rename(columns={"id": id_name}).to_csv(folder / "stimuli.csv")
    return [folder / "assembly.nc", folder / "stimuli.csv"]


def majaj_files(folder, **changes):
    rng = np.random.default_rng(0)
    images = np.array(["c3", "a1", "b2", "d4"])
    # Image a1 was shown three times, the others twice; one value is missing.
    shown = images[[0, 1, 2, 3, 3, 2, 1, 0, 1]]
    values = rng.standard_normal((9, 5, 1)).astype(np.float32)
    values[1, 2] = np.nan
    content = {
        "presentation": {"stimulus_id": shown, "repetition": np.array([0, 0, 0, 0, 1, 1, 1, 1, 2])},
        "neuroid": {
            "neuroid_id": np.arange(5),
            "region": np.array(["V4", "IT", "IT", "V4", "IT"]),
        },
        "stimuli": {"id": images, "category_name": ["Cars", "Faces", "Fruits", "Faces"]},
    }
    return write_assembly(folder, values, **{**content, **changes}), values


def test_majajhong_repetitions_are_averaged_and_the_table_joined(tmp_path):
    files, values = majaj_files(tmp_path)
    array = load("majajhong2015", files)
    assert array.dims == ("sample", "neuron")
    assert array.category.values.tolist() == ["Faces", "Fruits", "Cars", "Faces"]
    # Activations are matched by the ids of the stimuli.
    assert array.row_name.values.tolist() == sorted(set(presented_ids(files)))
    it = values[:, [1, 2, 4], 0].astype(np.float64)
    assert array.values[0, [0, 2]] == pytest.approx(it[[1, 6, 8]][:, [0, 2]].mean(0))
    # What is missing in one repetition is averaged over the others.
    assert array.values[0, 1] == pytest.approx(it[[6, 8], 1].mean())
    assert array.values[2] == pytest.approx(it[[0, 7]].mean(0))
    assert "2 to 3 repetitions" in array.attrs["history"]


def presented_ids(files):
    with xr.open_dataarray(files[0], engine="h5netcdf") as assembly:
        return assembly.stimulus_id.values.astype(str).tolist()


def test_majajhong_ids_may_have_the_older_name(tmp_path):
    (tmp_path / "new").mkdir()
    files, _ = majaj_files(tmp_path / "new")
    shown = xr.open_dataarray(files[0], engine="h5netcdf").stimulus_id.values.astype(str)
    older, _ = majaj_files(tmp_path, presentation={"image_id": shown}, id_name="image_id")
    assert load("majajhong2015", older).equals(load("majajhong2015", files))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stimuli": {"id": ["c3"], "category_name": ["Cars"]}}, "to have stimulus 'a1'"),
        ({"stimuli": {"id": list("abcd")}}, "to have stimulus 'a1'"),
        ({"stimuli": {"id": ["a1", "a1"], "category_name": [1, 2]}}, "once, got 'a1' twice"),
        ({"id_name": "name"}, "expected a column stimulus_id, got"),
        ({"neuroid": {"region": np.array(["V4"] * 5)}}, "expected neuroids of region IT"),
        ({"neuroid": {"area": np.array(["IT"] * 5)}}, "expected a coordinate 'region' along"),
        ({"presentation": {"name": np.arange(9)}}, "expected a coordinate 'image_id' along"),
    ],
)
def test_majajhong_file_that_is_another(tmp_path, changes, message):
    files, _ = majaj_files(tmp_path, **changes)
    with pytest.raises(ValueError, match=message):
        load("majajhong2015", files)


def test_freemanziemba_is_averaged_in_two_windows(tmp_path):
    rng = np.random.default_rng(0)
    images = np.array(["t2", "n1", "t1", "n2"])
    shown = np.tile(images, 5)
    values = rng.poisson(0.1, (20, 6, 300)).astype(np.float64)
    kind = np.where([name[0] == "t" for name in shown], "texture", "noise")
    files = write_assembly(
        tmp_path,
        values,
        {"stimulus_id": shown, "texture_type": kind, "repetition": np.repeat(np.arange(5), 4)},
        {"neuroid_id": np.arange(6), "region": np.array(["V1"] * 3 + ["V2"] * 3)},
        {"id": images, "texture_family": [13, 56, 13, 18]},
    )
    array = load("freemanziemba2013", files)
    assert array.shape == (2, 4, 6)
    assert array.time.values.tolist() == [75, 225]
    assert array.texture_type.values.tolist() == ["noise", "noise", "texture", "texture"]
    assert array.texture_family.values.tolist() == ["56", "18", "13", "13"]
    assert array.row_name.values.tolist() == ["n1", "n2", "t1", "t2"]
    for window in range(2):
        for place, image in enumerate(sorted(images)):
            of_image = values[shown == image][:, :, 150 * window : 150 * (window + 1)]
            assert array.values[window, place] == pytest.approx(of_image.mean((0, 2)))


def test_siegel_is_read_from_its_owners_file(tmp_path):
    rng = np.random.default_rng(0)
    labels = {name: rng.permutation([0, 0, 0, 1, 1, 1]) for name in ("context", "response")}
    content = {"activity": rng.standard_normal((4, 6, 3)), **labels}
    np.savez(tmp_path / "fef.npz", **content, color=labels["context"], direction=np.arange(6))
    array = load("siegel2015", [tmp_path / "fef.npz"])
    assert array.shape == (4, 6, 3)
    assert array.attrs["variables"] == ["context", "response", "color", "direction"]
    np.savez(tmp_path / "fef.npz", **content)
    with pytest.raises(ValueError, match=r"fef\.npz: expected an array named 'color', got"):
        load("siegel2015", [tmp_path / "fef.npz"])


def test_constant_neurons_of_a_recording_are_dropped_with_a_message(tmp_path):
    files, values = majaj_files(tmp_path)
    values[:, 2] = 1
    content = xr.open_dataarray(files[0], engine="h5netcdf").load()
    content.close()
    content[2] = 1
    content.to_netcdf(files[0], engine="h5netcdf")
    array = load("majajhong2015", files)
    assert array.shape == (4, 2)
    assert "left out 1 neuron(s): number 1" in array.attrs["history"]
