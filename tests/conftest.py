"""What tests share: where the real data and the independent reference values are."""

import os
from pathlib import Path

import pytest
import torch

# The arrays of the tests are small: a second thread costs more than it brings.
torch.set_num_threads(1)

ROOT = Path(__file__).parents[1]


def folder_from_environment(variable, purpose):
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"needs {purpose}: set {variable} to their folder")
    return Path(value).resolve()


@pytest.fixture(scope="session")
def mirror():
    """Folder with the raw recordings, laid out <dataset>/<file>."""
    return folder_from_environment("SCOREBOUNDS_MIRROR", "the raw recordings")


@pytest.fixture(scope="session")
def reference_values():
    """Folder with values of the measures from independent implementations."""
    return folder_from_environment("SCOREBOUNDS_REFERENCE", "independent reference values")
