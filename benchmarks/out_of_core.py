"""Scores of recordings on disk: memory, and time compared with that of the matrix products.

    export OMP_NUM_THREADS=1 PYTHONPATH=workflow/scripts
    .venv/bin/python benchmarks/out_of_core.py [n_samples] [n_x] [n_y]

The files of 200 000 × 2000 and 200 000 × 1000 values in single precision take 2.4 GB of disk. The
peak of memory is that of a process that only scores. The products are those that the measure
requires, of arrays in memory, in double precision and blocks of the same size.
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from scorebounds.measures.products import symmetric_product

N_SAMPLES, N_X, N_Y = 200_000, 2000, 1000
MEASURES = ("cka", "cka_debiased", "nbs", "linreg", "ridge_100", "ridge_cv_100")
MEMORY_LIMIT = 0.6
ROWS = 2000


def write(path, n_samples, n_neurons, seed):
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(20, n_neurons)).astype(np.float32)
    array = np.lib.format.open_memmap(
        path, mode="w+", dtype=np.float32, shape=(n_samples, n_neurons)
    )
    shared = np.random.default_rng(0)
    for start in range(0, n_samples, ROWS):
        rows = min(ROWS, n_samples - start)
        latent = shared.normal(size=(rows, 20)).astype(np.float32)
        noise = rng.normal(size=(rows, n_neurons)).astype(np.float32)
        array[start : start + rows] = latent @ mixing + 3 * noise
    array.flush()


def score(folder, measure):
    import scorebounds as sb

    torch.set_num_threads(1)
    x, y = (np.load(Path(folder) / f"{name}.npy", mmap_mode="r") for name in "xy")
    start = time.process_time()
    value = sb.score(x, y, measure, memory_limit=MEMORY_LIMIT)
    seconds = time.process_time() - start
    # ru_maxrss would include that of the process that started this one.
    status = Path("/proc/self/status").read_text()
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024 / 1e9
    print(value, seconds, peak)


def product_seconds(n_samples, n_x, n_y):
    """Return CPU seconds of XᵀY, XᵀX and YᵀY from blocks in memory."""
    torch.set_num_threads(1)
    x, y = torch.randn(ROWS, n_x).double(), torch.randn(ROWS, n_y).double()
    works = {
        "xy": lambda: x.mT @ y,
        "xx": lambda: symmetric_product(x),
        "yy": lambda: symmetric_product(y),
    }
    found = {}
    for name, work in works.items():
        work()
        start = time.process_time()
        for _ in range(3):
            work()
        found[name] = (time.process_time() - start) / 3 * n_samples / ROWS
    return found


def main(n_samples=N_SAMPLES, n_x=N_X, n_y=N_Y):
    required = {"nbs": ("xy",), **dict.fromkeys(("linreg", "ridge_100"), ("xy", "yy"))}
    required["ridge_cv_100"] = ("xy", "yy")
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "x.npy", n_samples, n_x, 1)
        write(Path(folder) / "y.npy", n_samples, n_y, 2)
        products = product_seconds(n_samples, n_x, n_y)
        print(f"{n_samples} × {n_x} and × {n_y}, products in CPU s: {products}")
        print("| measure | score | CPU s | products, CPU s | share | peak, GB |")
        print("|---|---|---|---|---|---|")
        for measure in MEASURES:
            command = [sys.executable, __file__, "--score", folder, measure]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            value, seconds, peak = map(float, done.stdout.split())
            least = sum(products[name] for name in required.get(measure, ("xy", "xx", "yy")))
            print(
                f"| `{measure}` | {value:.6f} | {seconds:.0f} | {least:.0f} | "
                f"{least / seconds:.0%} | {peak:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--score"]:
        score(*sys.argv[2:])
    else:
        main(*map(int, sys.argv[1:]))
