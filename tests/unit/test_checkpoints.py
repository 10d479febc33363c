"""Checkpoints of a training run survive damage and other processes."""

import hashlib
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from scorebounds.networks.checkpoints import Checkpoint

STATE = {"step": 7, "weights": torch.arange(40.0)}


def test_checkpoint_gives_back_what_was_written(tmp_path):
    store = Checkpoint(tmp_path / "new/network.pt", {"seed": 5})
    assert store.read() is None
    store.write(STATE)
    read = store.read()
    assert read["step"] == 7
    assert read["weights"].equal(STATE["weights"])
    assert [path.name for path in store.path.parent.iterdir()] == ["network.pt"]
    assert Checkpoint(store.path, {"seed": 6}).read() is None
    store.remove()
    assert store.read() is None


@pytest.mark.parametrize("seed", range(5))
def test_damaged_checkpoint_is_not_resumed_from(tmp_path, seed):
    store = Checkpoint(tmp_path / "network.pt", {})
    store.write(STATE)
    content = bytearray(store.path.read_bytes())
    rng = np.random.default_rng(seed)
    for place in rng.integers(len(content), size=100):
        damaged = content.copy()
        damaged[place] ^= rng.integers(1, 256)
        store.path.write_bytes(damaged)
        assert store.read() is None
        store.path.write_bytes(content[:place])
        assert store.read() is None
    store.path.write_bytes(content)
    assert store.read() is not None


def test_other_process_may_write_and_remove_meanwhile(tmp_path, monkeypatch):
    path = tmp_path / "network.pt"
    monkeypatch.setattr(os, "getpid", lambda: 1)
    first = Checkpoint(path, {})
    monkeypatch.setattr(os, "getpid", lambda: 2)
    second = Checkpoint(path, {})
    replace = Path.replace

    def replace_late(unfinished, target):
        monkeypatch.setattr(Path, "replace", replace)
        second.write({"step": 1})
        assert second.read()["step"] == 1
        second.remove()
        return replace(unfinished, target)

    monkeypatch.setattr(Path, "replace", replace_late)
    first.write(STATE)
    assert first.read()["step"] == 7


@pytest.mark.parametrize(
    "content",
    [b"", b"text", b"ustar" * 200, pickle.dumps([1], protocol=2), b"PK\x03\x04" + bytes(60)],
)
def test_what_is_no_checkpoint_is_not_resumed_from_even_with_a_digest(tmp_path, content):
    path = tmp_path / "network.pt"
    path.write_bytes(hashlib.sha256(content).digest() + content)
    assert Checkpoint(path, {}).read() is None


def test_a_folder_or_a_broken_link_in_place_of_a_checkpoint_is_none(tmp_path):
    path = tmp_path / "network.pt"
    path.mkdir()
    assert Checkpoint(path, {}).read() is None
    path.rmdir()
    path.symlink_to(tmp_path / "nowhere")
    assert Checkpoint(path, {}).read() is None
    Checkpoint(path, {}).write(STATE)
    assert not path.is_symlink()
