"""Files of results that were cut or changed are refused where they are read."""

import re

import h5py
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from helpers.workflow import ROOT
from scorebounds.core.integrity import digest_path
from scorebounds.core.recording import read_halves, read_recording, recording, write_recording
from scorebounds.core.tables import (
    open_dataset,
    read_picture,
    read_report,
    read_table,
    write_dataset,
    write_report,
    write_table,
)
from scorebounds.figures.style import save

TABLE = pd.DataFrame({"dataset": ["a", "b", "c", "d"], "score": [0.1, np.nan, 0.3, 0.4]})


def test_table_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "scores.csv"
    write_table(path, TABLE)
    assert read_table(path).equals(TABLE)
    write_table(path, TABLE.iloc[:2])
    assert read_table(path).equals(TABLE.iloc[:2])


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[: content.index(b"\nc,") + 1],
        lambda content: content.replace(b"0.3", b"0.9"),
        lambda content: b"",
    ],
    ids=["half", "whole rows", "one digit", "empty"],
)
def test_cut_or_changed_table_is_refused(tmp_path, damage):
    path = tmp_path / "scores.csv"
    write_table(path, TABLE)
    path.write_bytes(damage(path.read_bytes()))
    sentence = rf"{re.escape(str(path))}: expected the file as it was written .* delete it and run"
    with pytest.raises(ValueError, match=sentence):
        read_table(path)


def test_table_without_a_digest_is_read(tmp_path):
    path = tmp_path / "scores.csv"
    write_table(path, TABLE)
    digest_path(path).unlink()
    path.write_text("dataset,score\na,0.5\n")
    assert read_table(path).score.tolist() == [0.5]


def test_digest_in_capitals_is_read(tmp_path):
    path = tmp_path / "scores.csv"
    write_table(path, TABLE)
    digest_path(path).write_text(digest_path(path).read_text().upper())
    assert read_table(path).equals(TABLE)


DAMAGED_DIGESTS = {
    "empty": (lambda digest: digest.write_bytes(b""), "an empty file"),
    "cut": (lambda digest: digest.write_bytes(digest.read_bytes()[:30]), "b'"),
    "web page": (lambda digest: digest.write_bytes(b"<html>"), "b'<html>'"),
    "bytes": (lambda digest: digest.write_bytes(b"\xff\xfe\x00"), r"b'\xff\xfe\x00'"),
    "folder": (lambda digest: [digest.unlink(), digest.mkdir()], "a folder"),
    "broken link": (
        lambda digest: [digest.unlink(), digest.symlink_to("none")],
        "a broken link or no regular file",
    ),
    "link to itself": (
        lambda digest: [digest.unlink(), digest.symlink_to(digest)],
        "a broken link or no regular file",
    ),
}


@pytest.mark.parametrize("changed", [False, True], ids=["same table", "changed table"])
@pytest.mark.parametrize(("damage", "found"), DAMAGED_DIGESTS.values(), ids=DAMAGED_DIGESTS)
def test_damaged_digest_is_named_and_not_the_table(tmp_path, damage, found, changed):
    path = tmp_path / "scores.csv"
    write_table(path, TABLE)
    damage(digest_path(path))
    if changed:
        path.write_text("dataset,score\na,9\n")
    with pytest.raises(ValueError, match="expected the SHA-256 digest of scores") as error:
        read_table(path)
    said = str(error.value)
    assert said.startswith(f"{digest_path(path)}: expected the SHA-256 digest of scores.csv (64 ")
    assert f", found {found}" in said
    assert said.endswith("; delete it and scores.csv, and run the same command again")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "No columns to parse from file"),
        (b'dataset,score\n"a,1\nb', "unexpected end of data"),
        (
            b"dataset,score\n1,2,3,4\n1,2,3,4,5\n",
            "line 2: expected 2 cells, as in the header, found 4",
        ),
        (b"dataset,score\n1,2,3\n1,2,3\n", "line 2: expected 2 cells, as in the header, found 3"),
        (b"dataset,score\na,1\nb", "line 3: expected 2 cells, as in the header, found 1"),
        (b"dataset,score\n\xff\xfe,1\n", "'utf-8' codec can't decode"),
    ],
    ids=["empty", "cut in a quote", "ragged", "wider", "cut in a row", "binary"],
)
def test_damaged_table_without_a_digest_is_named(tmp_path, content, fault):
    path = tmp_path / "scores.csv"
    path.write_bytes(content)
    sentence = rf"{re.escape(str(path))}: expected a complete table \(CSV .*{fault}.*; delete it"
    with pytest.raises(ValueError, match=sentence) as error:
        read_table(path)
    assert "\n" not in str(error.value)


def test_tables_with_empty_cells_and_lines_are_read_without_a_digest(tmp_path):
    path = tmp_path / "scores.csv"
    for table in (TABLE, TABLE[["score"]], TABLE.replace("a", 'a, "b"\nc'), TABLE[:0]):
        write_table(path, table)
        recorded = read_table(path)
        digest_path(path).unlink()
        assert read_table(path).equals(recorded)


def test_report_that_is_no_text_is_named(tmp_path):
    path = tmp_path / "report.md"
    path.write_bytes(b"\xff")
    with pytest.raises(ValueError, match=r"report\.md: expected a complete report \(text in UTF"):
        read_report(path)


@pytest.mark.parametrize("recorded", [True, False], ids=["with digest", "without"])
@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.999])
@pytest.mark.parametrize("read", [read_recording, read_halves, open_dataset])
def test_cut_netcdf_file_is_refused(tmp_path, read, share, recorded):
    path = tmp_path / "data.nc"
    activity = np.random.default_rng(0).standard_normal((40, 5))
    if read is open_dataset:
        write_dataset(path, xr.Dataset({"score": ("step", activity[:, 0])}))
    else:
        write_recording(path, recording(activity, halves=(activity, activity)), "data")
    read(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    expected = "the file as it was written" if recorded else "a complete netCDF file,"
    if not recorded:
        digest_path(path).unlink()
    sentence = rf"{re.escape(str(path))}: expected {expected} .* delete it and run"
    with pytest.raises(ValueError, match=sentence):
        read(path)


def test_changed_number_of_an_array_is_refused(tmp_path):
    path = tmp_path / "data.nc"
    write_recording(path, recording(np.random.default_rng(0).standard_normal((40, 5))), "data")
    with h5py.File(path, "r+") as file:
        file["activity"][0, 0] = 7
    with pytest.raises(ValueError, match="expected the file as it was written"):
        read_recording(path)


def test_cut_report_is_refused(tmp_path):
    path = tmp_path / "report.md"
    write_report(path, "# Report\n\n| axes | 3 |\n")
    assert read_report(path).endswith("| axes | 3 |\n")
    path.write_text("# Report\n")
    with pytest.raises(ValueError, match=r"report\.md: expected the file as it was written"):
        read_report(path)


@pytest.mark.parametrize(("ending", "read"), [("png", read_picture), ("csv", read_table)])
def test_cut_file_of_a_figure_is_refused(tmp_path, ending, read):
    paths = [str(tmp_path / f"a.{name}") for name in ("pdf", "png", "csv")]
    save(plt.figure(), pd.DataFrame({"score": [0.5, 0.25]}), *paths)
    path = tmp_path / f"a.{ending}"
    read(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="expected the file as it was written"):
        read(path)


def test_scripts_read_results_through_functions_that_check_them():
    """Only files that others published are read in another way."""
    calls = re.compile(r"\b(?:read_csv|(?:open|load)_dataarray|load_dataset|xr\.open_dataset)\(")
    scripts = ROOT / "workflow/scripts"
    users = {
        path.relative_to(scripts).as_posix()
        for path in scripts.rglob("*.py")
        if calls.search(path.read_text(encoding="utf-8"))
    }
    readers = {name for name in users if name.startswith("scorebounds/datasets/")}
    assert users - readers == {
        "scorebounds/core/tables.py",
        "scorebounds/core/recording.py",
        "scorebounds/optimization/published.py",
        "scorebounds/decoding/published.py",
        # A table of thresholds that a user of the library names.
        "scorebounds/analyses/card.py",
    }


def test_missing_netcdf_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.nc"):
        read_recording(tmp_path / "none.nc")
