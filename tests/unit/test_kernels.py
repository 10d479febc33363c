"""Networks trained with other kernels of the processor agree to rounding."""

import os
import subprocess
import sys

import numpy as np
import pytest

from helpers.workflow import ROOT

# Rounding of double precision, multiplied by training; in single precision it was 1e-6 and more.
TOLERANCE = 1e-9
TASK = """
import sys, torch, numpy as np
torch.set_num_threads(1)
from scorebounds.networks import rnn, tasks
task = tasks.load("rnn-context", 0.04)
network = rnn.make_network(
    task, 5, n_units=20, nonlinearity="tanh", time_constant=100, noise=0.1
)
settings = dict(batch_size=16, learning_rate=1e-2, stop_accuracy=1, max_steps=30, check_every=30)
rnn.train(network, task, seed=7, **settings)
np.save(sys.argv[1], rnn.noise_free(network, task)[0])
"""
IMAGES = """
import sys, torch, numpy as np
torch.set_num_threads(1)
from scorebounds.networks import convnets, images
train, held_out = images.load("digits", [])
network = convnets.make_network("digits", train, 5)
settings = dict(n_steps=20, batch_size=16, learning_rate=0.1, weight_decay=0.005, largest_shift=1)
convnets.train_network(
    network, train, held_out, seed=3, device=torch.device("cpu"), **settings
)
np.save(sys.argv[1], network.readout.weight.detach().numpy())
"""


@pytest.mark.parametrize("program", [TASK, IMAGES], ids=["task", "images"])
def test_training_with_plain_kernels_ends_in_the_same_network(tmp_path, program):
    ended = []
    for capability in ("default", ""):
        path = tmp_path / f"{capability or 'widest'}.npy"
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow/scripts")}
        environment |= {"ATEN_CPU_CAPABILITY": capability} if capability else {}
        subprocess.run([sys.executable, "-c", program, path], env=environment, check=True)
        ended.append(np.load(path))
    plain, widest = ended
    assert plain.dtype == np.float64
    np.testing.assert_allclose(widest, plain, rtol=0, atol=TOLERANCE * np.abs(plain).max())
