"""What every job would have to wait for at its start."""

import subprocess
import sys

import pytest

SLOW = {"torch._dynamo", "sympy", "sklearn", "scipy.stats", "scipy.optimize", "matplotlib", "ot"}
OPTIMIZE = """
import sys
import torch
from scorebounds.measures import registry
from scorebounds.optimization.optimize import optimize, starting_points

x = torch.randn(20, 3, dtype=torch.float64)
starts = starting_points(tuple(x.shape), 0, ("test",), 2)
settings = {"stop_score": 0.5, "max_steps": 2, "learning_rate": 0.1, "n_checkpoints": 0}
optimize(x, registry.load("cka"), starts, **settings)
"""


@pytest.mark.parametrize(
    "program",
    [OPTIMIZE, "import sys, scorebounds.optimization.summary, scorebounds.decoding.summary"],
)
def test_a_job_imports_nothing_slow_that_it_does_not_use(program):
    listing = f"{program}\nprint(*sys.modules, sep='\\n')"
    ran = subprocess.run(
        [sys.executable, "-c", listing],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(ran.stdout.split())
    assert "numpy" in imported
    assert not SLOW & imported
