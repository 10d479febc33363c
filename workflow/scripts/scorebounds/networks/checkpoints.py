"""Checkpoints of a training run, kept until its results are written."""

import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch


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
        self.path, self._unfinished = path, path.with_suffix(".unfinished")
        self._made_with = json.dumps({**made_with, "torch": torch.__version__}, sort_keys=True)

    def write(self, state: Mapping[str, Any]) -> None:
        """Save a state; if the job is killed meanwhile, the previous state remains."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        torch.save({**state, "made_with": self._made_with}, self._unfinished)
        self._unfinished.replace(self.path)

    def read(self) -> dict[str, Any] | None:
        """Return the last state, or None if there is none to resume from."""
        try:
            state = torch.load(self.path, weights_only=True)
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
            return None
        if not isinstance(state, dict) or state.pop("made_with", None) != self._made_with:
            return None
        return state

    def remove(self) -> None:
        """Delete the saved states."""
        for left in (self.path, self._unfinished):
            left.unlink(missing_ok=True)
