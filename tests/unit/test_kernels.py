"""Networks trained with other kernels of the processor agree to rounding."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from helpers import small_networks
from helpers.workflow import ROOT

# Rounding of double precision, multiplied by training; in single precision it was 1e-6 and more.
TOLERANCE = 1e-9


@pytest.fixture(scope="module", params=["default", "avx2"])
def trained_with_other_kernels(tmp_path_factory, request):
    if request.param == "avx2" and torch.backends.cpu.get_cpu_capability() != "AVX512":
        pytest.skip("the processor has no kernels that are wider than those of AVX2")
    path = tmp_path_factory.mktemp("other") / "networks.npz"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow/scripts")}
    environment["ATEN_CPU_CAPABILITY"] = request.param
    program = [sys.executable, small_networks.__file__, path]
    subprocess.run(program, env=environment, check=True)
    with np.load(path) as networks:
        return dict(networks)


@pytest.mark.parametrize("name", small_networks.TRAINED)
def test_training_with_other_kernels_ends_in_the_same_network(name, trained_with_other_kernels):
    other, widest = trained_with_other_kernels[name], small_networks.TRAINED[name]()
    assert other.dtype == np.float64
    np.testing.assert_allclose(widest, other, rtol=0, atol=TOLERANCE * np.abs(other).max())
