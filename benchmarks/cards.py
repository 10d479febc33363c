"""What a score card costs, as multiples of work that it cannot do without.

    PYTHONPATH=workflow/scripts OMP_NUM_THREADS=1 .venv/bin/python benchmarks/cards.py

1000 samples × 150 neurons against 512 units, 200 permutations, as from the command line: processor
time of a process of its own, start-up included. The unit is the time of the 200 products XᵀY of
the permutations and of importing PyTorch, both measured in the same run.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import numpy as np
import torch

SAMPLES, NEURONS, UNITS, PERMUTATIONS = 1000, 150, 512, 200
MEASURES = {"two measures": ["--measures", "cka,procrustes_angular"], "default measures": []}


def seconds_of(*command):
    """Return the processor time of a command, the system's part included."""
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def seconds_of_products(x, y):
    start = time.process_time()
    for _ in range(PERMUTATIONS):
        x.mT @ y
    return time.process_time() - start


def main():
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(SAMPLES, NEURONS))
    y = x @ rng.normal(size=(NEURONS, UNITS)) + 10 * rng.normal(size=(SAMPLES, UNITS))
    seconds_of_products(torch.from_numpy(x), torch.from_numpy(y))  # the first call is slower
    products = seconds_of_products(torch.from_numpy(x), torch.from_numpy(y))
    start_up = min(seconds_of("-c", "import torch") for _ in range(3))
    print(f"products {products:.2f} s, import torch {start_up:.2f} s\n")
    print("| card | CPU s | of products and import |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        files = [str(Path(folder) / name) for name in ("recording.npy", "model.npy")]
        for path, values in zip(files, (x, y), strict=True):
            np.save(path, values)
        for name, chosen in MEASURES.items():
            spent = seconds_of("-m", "scorebounds.cli", "card", *files, *chosen)
            print(f"| {name} | {spent:.1f} | {spent / (products + start_up):.1f} |", flush=True)


if __name__ == "__main__":
    main()
