"""Time of optimisations, permutations and searches of ranges on a GPU, against the processor.

    PYTHONPATH=workflow/scripts .venv/bin/python benchmarks/devices.py [--part PART …]

Wall-clock time, with as many threads of the processor as PyTorch takes by itself, in double
precision. Without a GPU it says so and ends.
"""

import argparse
import time
from functools import partial

import numpy as np
import torch
from permutations import N_CONDITIONS, N_SHUFFLES, made_up
from ranges import N_VALUES, draw, search_ends
from steps import correlated_pair

from scorebounds.measures import registry
from scorebounds.optimization.optimize import optimize
from scorebounds.ranges.joint import FixedX, optimize_jointly
from scorebounds.scorecards.permutations import distinct_orders, null_scores

SIZES = [(1080, 727), (3950, 141)]
OPTIMIZED = ["cka", "nbs", "ridge_cv_100"]
N_SEEDS = [5, 50]
N_STEPS = {"cpu": 2, "cuda": 6}
PERMUTED = ["cka", "nbs", "linreg_cv", "ridge_cv_100", "ridge_cv_tuned", "mutual_knn_10"]
N_TIMED = {"cpu": 50, "cuda": N_SHUFFLES}
N_TUNED = {"cpu": 10, "cuda": 100}


def seconds(work, device):
    """Return the wall-clock seconds of a function, and its result."""
    wait(device)
    start = time.perf_counter()
    result = work()
    wait(device)
    return time.perf_counter() - start, result


def wait(device):
    if device == "cuda":
        torch.cuda.synchronize()


def optimization(size, name, n_seeds, device):
    """Return the seconds of a step of an optimisation, without what is done once, and scores."""
    x, y = (each.to(device) for each in correlated_pair(*size))
    scales = torch.linspace(0.9, 1.1, n_seeds, dtype=y.dtype, device=device)
    starts = y * scales[:, None, None]
    settings = {"stop_score": 1.1, "learning_rate": 1e-3, "n_checkpoints": 0}
    measure, times = registry.load(name), []
    for n_steps in (0, N_STEPS[device]):
        took, (trajectories, _) = seconds(
            lambda n=n_steps: optimize(x, measure, starts, max_steps=n, **settings), device
        )
        times.append(took)
    return (times[1] - times[0]) / N_STEPS[device], [each.score[2] for each in trajectories]


def permutation(name, device):
    """Return the seconds of 1000 permutations of a model of 1080 × 100, and the first scores."""
    matched, measure = made_up(), registry.load(name)
    n_timed = (N_TUNED if name == "ridge_cv_tuned" else N_TIMED)[device]
    orders = distinct_orders(N_CONDITIONS, n_timed, seed=0)
    null_scores(matched, [measure], orders[:2], device)
    took, found = seconds(lambda: null_scores(matched, [measure], orders, device), device)
    return took * N_SHUFFLES / n_timed, found[name][:5]


def joint(size, device):
    """Return the seconds of a step of the joint optimisation of CKA and NBS, and scores."""
    n, p = size
    x = (draw(n, p, seed=0) * torch.arange(1, p + 1) ** -0.5).to(device)
    start, grid = draw(n, p, seed=1).to(device), goals(device)
    settings = {"n_targets": N_VALUES, "learning_rate": 0.1}
    times = []
    for n_steps in (1, 1 + N_STEPS[device]):
        evaluate = FixedX(x, ("cka", "nbs")).scorer()
        took, found = seconds(
            lambda n=n_steps, score=evaluate: optimize_jointly(
                score, start, grid, max_steps=n, **settings
            ),
            device,
        )
        times.append(took)
    return (times[1] - times[0]) / N_STEPS[device], found.scores[0][1]


def goals(device):
    return torch.linspace(0.05, 0.95, N_VALUES, dtype=torch.float64, device=device)


def search(size, device):
    """Return the seconds of the largest and smallest NBS for values of CKA, and these ends."""
    n, p = size
    x = (draw(n, p, seed=0) * torch.arange(1, p + 1) ** -0.5).to(device)
    grid = goals(device)
    return seconds(lambda: search_ends(x, grid, ("cka", "nbs")), device)


def compare(label, unit, timed):
    """Print the time on the processor and on the GPU, their ratio, and how far results differ."""
    scale = {"s": 1, "ms": 1e3}[unit]
    timed("cuda")
    on_gpu, found = timed("cuda")
    on_cpu, expected = timed("cpu")
    differ = np.abs(np.array(found[: len(expected)]) - np.array(expected)).max()
    numbers = f"{on_cpu * scale:.3g} {unit} | {on_gpu * scale:.3g} {unit} | {on_cpu / on_gpu:.1f}"
    print(f"| {label} | {numbers} | {differ:.0e} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parts = ["optimize", "permutations", "ranges"]
    parser.add_argument("--part", nargs="+", choices=parts, default=parts)
    chosen = parser.parse_args().part
    if not torch.cuda.is_available():
        print("no GPU was found: nothing to compare")
        return
    print(f"{torch.cuda.get_device_name()}; processor: {torch.get_num_threads()} threads")
    print("| work | processor | GPU | ratio | largest difference |\n|---|---|---|---|---|")
    for size in SIZES if "optimize" in chosen else []:
        for name in OPTIMIZED:
            for n_seeds in N_SEEDS:
                label = f"step of `{name}`, {size[0]} × {size[1]}, {n_seeds} seeds"
                compare(label, "ms", partial(optimization, size, name, n_seeds))
    for name in PERMUTED if "permutations" in chosen else []:
        compare(f"1000 permutations of `{name}`", "s", partial(permutation, name))
    for n, p in SIZES if "ranges" in chosen else []:
        label = f"joint step of CKA and NBS, {n} × {p}, {N_VALUES} targets"
        compare(label, "ms", partial(joint, (n, p)))
        # The workflow searches on the processor, whatever the device.
        label = f"search of NBS at {N_VALUES} values of CKA, {n} × {p}"
        compare(label, "s", partial(search, (n, p)))


if __name__ == "__main__":
    main()
