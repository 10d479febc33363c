"""What tests share: the real data, reference values, and one finished run of the workflow."""

import gc
import os
import socket

# The arrays of the tests are small: a second thread costs more than it brings. As in a job of
# Snakemake, NumPy and PyTorch read this when they are imported.
os.environ["OMP_NUM_THREADS"] = "1"

import hypothesis
import pytest

from helpers.workflow import finished_tiny_run, folder_from_environment

# The same examples in every run, however slow the machine, and no database in the checkout.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("same")

# Settings of the user's shell that change what Snakemake or a download does.
for name in list(os.environ):
    if name.lower().endswith("_proxy") or name.startswith("SNAKEMAKE_"):
        del os.environ[name]


def pytest_collection_finish():
    """Let Python not look for garbage again in what the imports and the collection made."""
    gc.freeze()


@pytest.fixture(scope="session")
def mirror():
    """Folder with the raw recordings, laid out <dataset>/<file>."""
    return folder_from_environment("SCOREBOUNDS_MIRROR", "the raw recordings")


@pytest.fixture(scope="session")
def reference_values():
    """Folder with values of the measures from independent implementations."""
    return folder_from_environment("SCOREBOUNDS_REFERENCE", "independent reference values")


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory):
    """Return a folder that is the same for all workers of pytest-xdist."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def tiny_run(shared_folder):
    """Return a finished run of the tiny workflow, which all tests share: not to be changed."""
    return finished_tiny_run(shared_folder / "tiny")


@pytest.fixture
def tiny_copy(tiny_run, tmp_path):
    """Return a copy of the finished run, which the test may change."""
    return tiny_run.copy(tmp_path / "tiny")


@pytest.fixture
def unreachable():
    """Return an address on loopback where every connection is refused."""
    with socket.socket() as bound:
        # Bound and not listening: no other process can take the port meanwhile.
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
