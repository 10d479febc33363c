"""Cost of one optimisation step, against the matrix products it needs and the textbook form.

One step is score, gradient, Adam's update and the capture of all principal components, in double
precision on one thread. Every ratio is taken within one run on one machine.
"""

import argparse
import statistics
import time

import torch

from scorebounds.measures import registry
from scorebounds.measures.components import principal_components
from scorebounds.measures.folds import N_FOLDS, fold_bounds
from scorebounds.optimization.optimize import evaluator

SIZES = [(1080, 727), (3950, 141)]
TEXTBOOK_SIZE = (3950, 141)
OPTIMIZED = ["cka", "cka_angular", "nbs", "procrustes_angular", "linreg", "ridge_cv_100"]
N_REPEATS = 9


def draw(*shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def correlated_pair(n, p):
    """Return a reference of correlated neurons, and a Y on its way towards it."""
    mixed, _ = torch.linalg.qr(draw(p, p, seed=2))
    x = (draw(n, p, seed=0) * torch.arange(1, p + 1) ** -0.5) @ mixed
    return x, draw(n, p, seed=1) + 2 * x


def seconds(work, repeats=N_REPEATS):
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def our_step(name, x, y):
    """Return the function that makes one step, as optimize() does."""
    components = principal_components(x)
    evaluate = evaluator(x, registry.load(name), components)
    y = y[None].clone().requires_grad_()
    adam = torch.optim.Adam([y], lr=0.1, maximize=True, fused=True)

    def step():
        score, captured = evaluate(y)
        (y.grad,) = torch.autograd.grad(score.sum(), y)
        adam.step()
        return score, captured

    return step


def needed_products(name, x, y):
    """Return the function that makes just the matrix products that a step cannot do without."""
    small = draw(x.shape[1], y.shape[1], seed=2)
    spd = y.T @ y + 100 * torch.eye(y.shape[1], dtype=y.dtype)

    def common():
        cross, gram = x.T @ y, y.T @ y  # score and capture
        return cross, gram, x @ small  # gradient through XᵀY

    def kernels():
        common()
        y @ small  # gradient through YᵀY

    def shapes():
        # NBS needs of YᵀY only its trace, whose gradient is a multiple of Y.
        cross, *_ = common()
        torch.linalg.svd(cross, full_matrices=False)

    def ridge():
        for start, stop in fold_bounds(len(x), N_FOLDS):
            rows_x, rows_y = x[start:stop], y[start:stop]
            cross, gram = rows_x.T @ rows_y, rows_y.T @ rows_y
            factor = torch.linalg.cholesky(spd)
            weights = torch.cholesky_solve(cross.T, factor)
            adjoint = torch.cholesky_solve(gram @ weights, factor)
            rows_x @ small + rows_y @ (adjoint @ weights.T)

    if name.startswith("ridge"):
        return ridge
    return shapes if name in ("nbs", "procrustes_angular") else kernels


def textbook_cka_step(x, y):
    """Return the function that makes a step by autograd through centred n × n Gram matrices."""
    n = len(x)
    centring = torch.eye(n, dtype=x.dtype) - 1 / n
    k = centring @ (x @ x.T) @ centring
    y = y.clone().requires_grad_()
    adam = torch.optim.Adam([y], lr=0.1, maximize=True)

    def step():
        gram = centring @ (y @ y.T) @ centring
        score = (k * gram).sum() / (k.norm() * gram.norm())
        adam.zero_grad()
        score.backward()
        adam.step()

    return step


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measures", nargs="+", default=OPTIMIZED)
    parser.add_argument("--no-textbook", action="store_true", help="leave out the slow comparison")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(
        f"{'measure':20} {'samples × neurons':18} {'step ms':>8} {'products ms':>12} {'ratio':>6}"
    )
    for name in options.measures:
        for n, p in SIZES:
            x, y = correlated_pair(n, p)
            step = seconds(our_step(name, x, y))
            products = seconds(needed_products(name, x, y))
            shape = f"{n} × {p}"
            print(
                f"{name:20} {shape:18} {1e3 * step:8.1f} {1e3 * products:12.1f}"
                f" {step / products:6.2f}",
                flush=True,
            )
    if not options.no_textbook:
        x, y = correlated_pair(*TEXTBOOK_SIZE)
        ours = seconds(our_step("cka", x, y))
        textbook = seconds(textbook_cka_step(x, y), repeats=1)
        print(
            f"\ncka at {TEXTBOOK_SIZE[0]} × {TEXTBOOK_SIZE[1]}: the textbook form takes"
            f" {textbook:.1f} s a step, without any capture; {textbook / ours:.0f} times ours"
        )


if __name__ == "__main__":
    main()
