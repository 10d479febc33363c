"""The state of a training that is under way, kept until its results are written."""

import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch


class Checkpoint:
    """A file that holds the last state of a training.

    Parameters
    ----------
    path : Path
        Its folder is made if need be.
    made_with : mapping
        Everything that the training depends on, as JSON can hold it: a state that was made with
        anything else is not taken up.
    """

    def __init__(self, path: Path, made_with: Mapping[str, Any]):
        self.path, self._unfinished = path, path.with_suffix(".unfinished")
        self._made_with = json.dumps({**made_with, "torch": torch.__version__}, sort_keys=True)

    def write(self, state: Mapping[str, Any]) -> None:
        """Keep a state; who is killed meanwhile still has the one before."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        torch.save({**state, "made_with": self._made_with}, self._unfinished)
        self._unfinished.replace(self.path)

    def read(self) -> dict[str, Any] | None:
        """Return the last state, or None if there is none that could be taken up."""
        try:
            state = torch.load(self.path, weights_only=True)
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
            return None
        if not isinstance(state, dict) or state.pop("made_with", None) != self._made_with:
            return None
        return state

    def remove(self) -> None:
        """Remove what was kept."""
        for left in (self.path, self._unfinished):
            left.unlink(missing_ok=True)
