"""Cost of each measure: its score, its score and gradient, and the products that these need.

Double precision on one thread; X's share is done beforehand. The ratio is that of score and
gradient to the matrix products and factorisations that both need.
"""

import argparse

import torch
from steps import correlated_pair, draw, seconds

from scorebounds.measures import registry

SIZES = ["1080x727", "3200x168", "3950x141"]
N_TIMES = 40
SLOW = 1.0  # seconds of a call from which on it is timed once


def needed(name, x, y):
    """Return the function that makes just what score and gradient need, or None if unknown."""
    small = draw(x.shape[1], y.shape[1], seed=2)
    square = y.T @ y
    spd = square + 100 * torch.eye(len(square), dtype=y.dtype)

    def cross():
        return x.T @ y, x @ small

    def kernels():
        cross()
        return y.T @ y, y @ square

    def shapes():
        return torch.linalg.svd(cross()[0], full_matrices=False)

    def regression():
        kernels()
        factor = torch.linalg.cholesky(spd)
        whitened = torch.linalg.solve_triangular(factor, small.T, upper=False)
        weights = torch.linalg.solve_triangular(factor.T, whitened, upper=True)
        return weights @ weights.T

    def spans():
        cross()
        return torch.linalg.svd(y, full_matrices=False)

    def samples_by_samples():
        kernel = y @ y.T
        return kernel.exp() @ y

    families = {
        "hsic": cross,
        "linreg_reverse": cross,
        "linreg_cv": None,
        "nbs": shapes,
        "procrustes": shapes,
        "linreg": regression,
        "ridge_cv": None,
        "ridge": regression,
        "svcca": spans,
        "cca": spans,
        "pwcca": spans,
        "cka_rbf": samples_by_samples,
        "cka": kernels,
        "rsa": kernels,
    }
    return next((work for start, work in families.items() if name.startswith(start)), None)


def timed(work):
    once = seconds(work, repeats=1)
    return once if once > SLOW else seconds(work, repeats=7)


def cost(measure, x, y):
    """Return seconds of the score, of score and gradient, and of what they need; None if not."""
    # Trajectories of this many samples, for measures that compare them.
    groups = torch.arange(len(x)) // N_TIMES if measure.of_trajectories else None
    score = measure.against(x, groups)
    with torch.no_grad():
        plain = timed(lambda: score(y))
    if not measure.differentiable:
        return plain, None, None
    moving = y.clone().requires_grad_()
    both = timed(lambda: torch.autograd.grad(score(moving), moving))
    products = needed(measure.name, x, y)
    return plain, both, timed(products) if products else None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measures", nargs="+", default=registry.names())
    parser.add_argument("--sizes", nargs="+", default=SIZES, help="samples x neurons")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("| measure | size | score, ms | score + gradient, ms | ratio |")
    print("|---|---|---|---|---|")
    for name in options.measures:
        for size in options.sizes:
            x, y = correlated_pair(*map(int, size.split("x")))
            plain, both, products = cost(registry.load(name), x, y)
            cells = [f"{1e3 * plain:.1f}", "–" if both is None else f"{1e3 * both:.1f}"]
            cells.append("–" if products is None else f"{both / products:.2f}")
            print(f"| `{name}` | {size} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
