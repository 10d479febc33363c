"""What the workflow reads of users' files before any job: their arrays and their states."""

import os
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from snakemake.exceptions import WorkflowError

from helpers.workflow import ROOT

ARRAY = b"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4)}"


@pytest.fixture(scope="module")
def functions():
    names = {"WorkflowError": WorkflowError, "Path": Path, "os": os, "re": re}
    for name in ("own_data.smk", "layered_models.smk"):
        path = ROOT / "workflow/rules" / name
        exec(compile(path.read_text(), name, "exec"), names)
    return names


def npy(header, version=1):
    length = len(header).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + header


def listed(functions, path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return functions["listed_arrays"](path)


def test_members_that_are_no_arrays_are_no_layers(functions, tmp_path):
    fields = b"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (3, 4)}"
    members = {"readme.txt": b"hello", "empty": b"", "a.npy": npy(ARRAY), "b.npy": npy(fields)}
    assert listed(functions, tmp_path / "d.npz", members) == ["a"]
    np.savez(tmp_path / "e.npz", first=np.zeros((3, 4)), text=np.full((3, 4), "x"), one=np.zeros(3))
    assert functions["listed_arrays"](tmp_path / "e.npz") == ["first"]


HEADERS = [
    b"[1, 2]",
    b"{'descr': '<f8', 'fortran_order': False, 'shape': 3}",
    b"(" * 9_000,
    b"-" * 5_000 + b"1",
    b"\xff\xfe",
    b"{'a': \x00}",
    b" " * 60_000,
]


@pytest.mark.parametrize("content", [b"", b"\x93NUM", *map(npy, HEADERS), npy(b"", version=3)])
def test_array_that_cannot_be_read_is_one_sentence(functions, tmp_path, content):
    with pytest.raises(WorkflowError, match=r"d\.npz: .*'a\.npy' has a header that cannot be read"):
        listed(functions, tmp_path / "d.npz", {"a.npy": content})


@pytest.mark.parametrize(
    "header", ["", "[]", "3", "[" * 200_000, '{"a": [1]}', '{"a": {"shape": 3}}', '{"a": {}}']
)
def test_tensors_that_cannot_be_read_are_one_sentence(functions, tmp_path, header):
    content = len(header).to_bytes(8, "little") + header.encode()
    (tmp_path / "d.safetensors").write_bytes(content)
    with pytest.raises(WorkflowError, match=r"d\.safetensors: .*expected the header of a"):
        functions["listed_arrays"](tmp_path / "d.safetensors")


@pytest.mark.parametrize("target", ["nowhere", "b.npy"])
def test_state_of_links_that_lead_nowhere_changes_once_they_do(functions, tmp_path, target):
    state = functions["state_of_file"].__wrapped__
    folder = tmp_path / "units"
    folder.mkdir()
    (folder / "a.npy").write_bytes(b"1")
    (folder / "b.npy").symlink_to(target)
    before = state(str(folder)), state(str(folder / "b.npy"))
    (folder / "b.npy").unlink()
    (folder / "b.npy").write_bytes(b"2")
    after = state(str(folder)), state(str(folder / "b.npy"))
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_damaged_archive_is_one_sentence(functions, tmp_path):
    np.savez_compressed(tmp_path / "d.npz", a=np.arange(120.0).reshape(30, 4))
    content = bytearray((tmp_path / "d.npz").read_bytes())
    start = content.find(b"a.npy") + len("a.npy") + 20
    content[start : start + 40] = b"\xff" * 40
    (tmp_path / "d.npz").write_bytes(content)
    with pytest.raises(WorkflowError, match=r"d\.npz: cannot be read: "):
        functions["listed_arrays"](tmp_path / "d.npz")
