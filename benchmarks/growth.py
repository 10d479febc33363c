"""How the cost of a score with its gradient grows with samples, neurons and seeds.

    PYTHONPATH=workflow/scripts .venv/bin/python benchmarks/growth.py [picture.png]

CPU milliseconds of one thread; the reference is XᵀY, YᵀY and the two products of the gradient.
"""

import sys
import time

import torch

from scorebounds.measures import registry

MEASURES = ("cka", "procrustes_angular", "linreg", "ridge_cv_100")
N_SAMPLES, N_NEURONS, N_SEEDS = 1000, 200, 1
SWEEPS = {
    "samples": [(n, N_NEURONS, N_SEEDS) for n in (500, 1000, 2000, 4000, 8000)],
    "neurons": [(N_SAMPLES, p, N_SEEDS) for p in (50, 100, 200, 400, 800)],
    "seeds": [(N_SAMPLES, N_NEURONS, seeds) for seeds in (1, 2, 5, 10, 20)],
}


def shortest(work, repeats=5):
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1000 * min(times)


def products(x, y):
    cross, gram = x.mT @ y, y.mT @ y
    return x @ cross, y @ gram


def cost(n_samples, n_neurons, n_seeds):
    """Return CPU milliseconds of the products and of each measure."""
    generator = torch.Generator().manual_seed(0)
    options = {"generator": generator, "dtype": torch.float64}
    x = torch.randn(n_samples, n_neurons, **options)
    y = torch.randn(n_seeds, n_samples, n_neurons, **options)
    found = {"matrix products": shortest(lambda: products(x, y))}
    for name in MEASURES:
        score_of = registry.load(name).against(x)
        trained = y.clone().requires_grad_()

        def step(score_of=score_of, trained=trained):
            torch.autograd.grad(score_of(trained).sum(), trained)

        found[name] = shortest(step)
    return found


def draw(results, path):
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    looks = [("k", "--", ""), ("#0072B2", "-", "o"), ("#D55E00", "-", "s")]
    looks += [("#009E73", "-", "^"), ("#CC79A7", "-", "D")]
    figure, axes = plt.subplots(1, 3, figsize=(7.2, 2.6), sharey=True, layout="constrained")
    for axis, (what, sweep), place in zip(axes, results.items(), (0, 1, 2), strict=True):
        sizes = [shape[place] for shape in sweep]
        for name, (colour, line, marker) in zip(next(iter(sweep.values())), looks, strict=True):
            values = [found[name] for found in sweep.values()]
            axis.loglog(sizes, values, line, color=colour, marker=marker, ms=4, label=name)
        axis.set_xticks(sizes, list(map(str, sizes)))
        axis.minorticks_off()
        axis.set_xlabel(f"number of {what}")
    axes[0].set_ylabel("score and gradient, CPU ms")
    axes[0].legend(fontsize=6, frameon=False)
    figure.savefig(path, dpi=200)


def main(path=None):
    torch.set_num_threads(1)
    results = {}
    for what, shapes in SWEEPS.items():
        results[what] = {shape: cost(*shape) for shape in shapes}
        names = list(results[what][shapes[0]])
        print(f"\n| samples | neurons | seeds | {' | '.join(names)} |")
        print("|" + "---|" * (3 + len(names)))
        for shape, found in results[what].items():
            base = found["matrix products"]
            ratios = [f"{found[name] / base:.2f} ×" for name in names[1:]]
            print(f"| {' | '.join(map(str, shape))} | {base:.1f} ms | {' | '.join(ratios)} |")
    if path:
        draw(results, path)


if __name__ == "__main__":
    main(*sys.argv[1:])
