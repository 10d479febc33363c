"""Networks trained with other kernels of the processor agree to rounding."""

import os
import subprocess
import sys

import numpy as np
import pytest

from helpers import small_networks
from helpers.workflow import ROOT

# Rounding of double precision, multiplied by training; in single precision it was 1e-6 and more.
TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def trained_with_plain_kernels(tmp_path_factory):
    path = tmp_path_factory.mktemp("plain") / "networks.npz"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow/scripts")}
    environment["ATEN_CPU_CAPABILITY"] = "default"
    program = [sys.executable, small_networks.__file__, path]
    subprocess.run(program, env=environment, check=True)
    with np.load(path) as networks:
        return dict(networks)


@pytest.mark.parametrize("name", small_networks.TRAINED)
def test_training_with_plain_kernels_ends_in_the_same_network(name, trained_with_plain_kernels):
    plain, widest = trained_with_plain_kernels[name], small_networks.TRAINED[name]()
    assert plain.dtype == np.float64
    np.testing.assert_allclose(widest, plain, rtol=0, atol=TOLERANCE * np.abs(plain).max())
