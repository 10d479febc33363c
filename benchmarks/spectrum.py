"""What apart from the spectrum of data changes the score at which its components are captured?

    PYTHONPATH=workflow/scripts .venv/bin/python benchmarks/spectrum.py data/prepared/<dataset>.nc

A recording is compared with data of the same spectrum and other left singular vectors, once with
Adam, whose steps are scaled for each element, and once with one scale for all elements. The second
does not depend on the basis of the samples, so that only the spectrum can decide. The table is in
docs/results.md.
"""

import sys

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from scorebounds.core.random import derived_seed
from scorebounds.core.recording import read_recording, samples_by_neurons
from scorebounds.measures import registry
from scorebounds.measures.components import principal_components
from scorebounds.optimization.optimize import evaluator, starting_points
from scorebounds.optimization.thresholds import capture_thresholds

STOP_SCORE, MAX_STEPS, LEARNING_RATE, N_SEEDS, N_DRAWS, N_FIRST = 0.99, 2000, 0.1, 3, 3, 30
BETAS, EPSILON = (0.9, 0.999), 1e-8


def orthonormal(vectors: np.ndarray) -> np.ndarray:
    """Return centred orthonormal vectors near those given."""
    left, _, right = np.linalg.svd(vectors - vectors.mean(0), full_matrices=False)
    return np.asarray(left @ right)


def variants(recording: np.ndarray, shape: tuple[int, ...], rng: np.random.Generator):
    """Return data of one spectrum, by the kind of their left singular vectors, several draws."""
    left, values, _ = np.linalg.svd(recording - recording.mean(0), full_matrices=False)
    n, rank = left.shape
    rank = int((values > 1e-9 * values[0]).sum())
    left, values = left[:, :rank], values[:rank]
    norms = np.linalg.norm(left, axis=1, keepdims=True)
    found = {"the recording": [left]}
    draws = [rng.standard_normal((n, rank)) for _ in range(N_DRAWS)]
    found["Gaussian"] = [orthonormal(draw) for draw in draws]
    found["Gaussian, norms of the samples as recorded"] = [
        orthonormal(draw / np.linalg.norm(draw, axis=1, keepdims=True) * norms) for draw in draws
    ]
    found["values of each vector permuted"] = [
        orthonormal(np.stack([rng.permutation(column) for column in left.T], 1)) for _ in draws
    ]
    if len(shape) == 3:
        lags = np.subtract.outer(np.arange(shape[0]), np.arange(shape[0]))
        smooth = np.linalg.cholesky(np.exp(-((lags / 2) ** 2)) + 1e-9 * np.eye(shape[0]))
        found["Gaussian, smooth in time"] = [
            orthonormal((smooth @ draw.reshape(shape[0], -1)).reshape(n, rank)) for draw in draws
        ]
    return {name: [torch.from_numpy(u * values) for u in us] for name, us in found.items()}


def thresholds(
    x: Tensor, name: str, starts: Tensor, *, elementwise: bool
) -> tuple[np.ndarray, float]:
    """Return the median threshold of each component over starts, and the mean number of steps."""
    measure, components = registry.load(name), principal_components(x)
    evaluate = evaluator(x, measure, components, starts.dtype)
    found, steps = [], []
    for start in starts:
        y = start[None].clone().requires_grad_()
        mean, square = torch.zeros_like(y), torch.zeros_like(y)
        scores, captured = [], []
        for step in range(1, MAX_STEPS + 1):
            score, r2 = evaluate(y)
            scores.append(score.item())
            captured.append(r2[0].numpy().astype(np.float64))
            if scores[-1] >= STOP_SCORE:
                break
            (slope,) = torch.autograd.grad(score.sum(), y)
            with torch.no_grad():
                mean.lerp_(slope, 1 - BETAS[0])
                power = slope.square() if elementwise else slope.square().mean().expand_as(slope)
                square.lerp_(power, 1 - BETAS[1])
                scale = (square / (1 - BETAS[1] ** step)).sqrt() + EPSILON
                y += LEARNING_RATE * mean / (1 - BETAS[0] ** step) / scale
        found.append(capture_thresholds(np.array(scores), np.stack(captured)))
        steps.append(len(scores) - 1)
    filled = np.where(np.isnan(found), np.inf, found)
    return np.median(filled, 0)[:N_FIRST], float(np.mean(steps))


def main(path: str, *measures: str) -> None:
    recording = read_recording(path)
    made = variants(samples_by_neurons(recording), recording.shape, np.random.default_rng(0))
    rows = []
    for name in measures or ("cka", "cka_angular"):
        for kind, elementwise, dtype in (
            ("Adam", True, torch.float64),
            ("Adam, single precision", True, torch.float32),
            ("one scale for all elements", False, torch.float64),
        ):
            results = {}
            for variant, draws in made.items():
                results[variant] = []
                for number, draw in enumerate(draws):
                    seed = derived_seed(0, "spectrum", variant, number)
                    starts = starting_points(tuple(draw.shape), seed, (name,), N_SEEDS)
                    run = thresholds(draw, name, starts.to(dtype), elementwise=elementwise)
                    results[variant].append(run)
            gaussian = np.median([values for values, _ in results["Gaussian"]], 0)
            base = np.mean([steps for _, steps in results["Gaussian"]])
            for variant, runs in results.items():
                median = np.median([values for values, _ in runs], 0)
                finite = [values for values, _ in results["Gaussian"] + runs]
                both = np.isfinite(finite).all(0)
                difference = median[both] - gaussian[both]
                steps = np.mean([steps for _, steps in runs]) / base - 1
                spread = [np.abs(values[both] - gaussian[both]).mean() for values, _ in runs]
                rows.append(
                    (
                        name,
                        kind,
                        variant,
                        difference.mean(),
                        np.abs(difference).mean(),
                        max(spread),
                        steps,
                    )
                )
                print(*rows[-1], sep=" | ", flush=True)
    columns = [
        "measure",
        "steps",
        "left vectors",
        "difference",
        "absolute",
        "largest",
        "more steps",
    ]
    print(pd.DataFrame(rows, columns=columns).round(3).to_string())


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*sys.argv[1:])
