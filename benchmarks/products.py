"""Cost of the products of scores by NumPy, compared with PyTorch, for five seeds on one thread.

OMP_NUM_THREADS=1 PYTHONPATH=workflow/scripts .venv/bin/python benchmarks/products.py
"""

import time
from statistics import median

import torch

from scorebounds.core.allocation import keep_freed_memory
from scorebounds.measures.products import product, symmetric_product

SHAPES = ((300, 100), (968, 141), (3950, 141), (3200, 168), (1080, 727))
N_SEEDS, N_REPEATS = 5, 15


def seconds(work):
    started = time.process_time()
    work()
    return time.process_time() - started


def main():
    keep_freed_memory()
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    print("| product | shape | PyTorch, ms | NumPy, ms | ratio |\n|---|---|---|---|---|")
    for n, p in SHAPES:
        x = torch.randn(n, p, generator=generator, dtype=torch.float64)
        y = torch.randn(N_SEEDS, n, p, generator=generator, dtype=torch.float64)
        slope = torch.randn(N_SEEDS, p, p, generator=generator, dtype=torch.float64)
        for name, by_torch, by_numpy in (
            ("XᵀY", lambda x=x, y=y: x.mT @ y, lambda x=x, y=y: product(x.mT, y)),
            ("YᵀY", lambda y=y: y.mT @ y, lambda y=y: symmetric_product(y)),
            ("YG", lambda y=y, g=slope: y @ g, lambda y=y, g=slope: product(y, g)),
        ):
            by_torch(), by_numpy()
            pairs = [(seconds(by_torch), seconds(by_numpy)) for _ in range(N_REPEATS)]
            old, new = (1e3 * median(times) for times in zip(*pairs, strict=True))
            print(f"| {name} | {n} × {p} | {old:.1f} | {new:.1f} | {old / new:.2f} |", flush=True)


if __name__ == "__main__":
    main()
