"""Checkpoints of a training run, kept until its results are written."""

import hashlib
import io
import json
import os
import pickle
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

# What torch raises for bytes that are no checkpoint.
DAMAGED = (
    *(OSError, RuntimeError, EOFError, LookupError, ValueError, TypeError, AttributeError),
    pickle.UnpicklingError,
)
DIGEST_BYTES = hashlib.sha256().digest_size


class Checkpoint:
    """A file with the last state of a training run.

    Parameters
    ----------
    path : Path
        Its folder is created if it does not exist.
    made_with : mapping
        Everything that the training depends on, JSON-serialisable. A state saved with other
        values is ignored.
    """

    def __init__(self, path: Path, made_with: Mapping[str, Any]):
        # Runs that share a folder may train the same network at the same time.
        writer = f"{socket.gethostname()}-{os.getpid()}"
        self.path, self._unfinished = path, path.with_suffix(f".{writer}.unfinished")
        self._made_with = json.dumps({**made_with, "torch": torch.__version__}, sort_keys=True)

    def write(self, state: Mapping[str, Any]) -> None:
        """Save a state behind its digest; if the job is killed meanwhile, the last one remains."""
        content = io.BytesIO()
        torch.save({**state, "made_with": self._made_with}, content)
        saved = content.getvalue()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._unfinished.write_bytes(hashlib.sha256(saved).digest() + saved)
        self._unfinished.replace(self.path)

    def read(self) -> dict[str, Any] | None:
        """Return the last state, or None if there is none to resume from, or it is damaged."""
        try:
            content = self.path.read_bytes()
            digest, saved = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
            if hashlib.sha256(saved).digest() != digest:
                return None
            state = torch.load(io.BytesIO(saved), weights_only=True)
        except DAMAGED:
            return None
        if not isinstance(state, dict) or state.pop("made_with", None) != self._made_with:
            return None
        return state

    def remove(self) -> None:
        """Delete the saved states."""
        for left in (self.path, self._unfinished):
            left.unlink(missing_ok=True)
