"""How the cost of a score with its gradient grows with samples, neurons, seeds and datasets.

    PYTHONPATH=workflow/scripts .venv/bin/python benchmarks/growth.py [picture.png]

CPU milliseconds of one thread; the reference is XᵀY, YᵀY and the two products of the gradient.
"""

import sys
import time

import torch

from scorebounds.measures import registry

MEASURES = ("cka", "procrustes_angular", "linreg", "ridge_cv_100")
N_SAMPLES, N_NEURONS, N_SEEDS, N_DATASETS = 1000, 200, 1, 1
SWEEPS = {
    "samples": [(n, N_NEURONS, N_SEEDS, N_DATASETS) for n in (500, 1000, 2000, 4000, 8000)],
    "neurons": [(N_SAMPLES, p, N_SEEDS, N_DATASETS) for p in (50, 100, 200, 400, 800)],
    "seeds": [(N_SAMPLES, N_NEURONS, seeds, N_DATASETS) for seeds in (1, 2, 5, 10, 20)],
    "datasets": [(N_SAMPLES, N_NEURONS, N_SEEDS, number) for number in (1, 2, 4, 8)],
}


def shortest(work, repeats=5):
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1000 * min(times)


def products(xs, ys):
    for x, y in zip(xs, ys, strict=True):
        cross, gram = x.mT @ y, y.mT @ y
        x @ cross, y @ gram


def cost(n_samples, n_neurons, n_seeds, n_datasets):
    """Return CPU milliseconds of the products and of each measure, for all datasets."""
    generator = torch.Generator().manual_seed(0)
    options = {"generator": generator, "dtype": torch.float64}
    xs = torch.randn(n_datasets, n_samples, n_neurons, **options)
    ys = torch.randn(n_datasets, n_seeds, n_samples, n_neurons, **options)
    found = {"matrix products": shortest(lambda: products(xs, ys))}
    for name in MEASURES:
        scores_of = [registry.load(name).against(x) for x in xs]

        def step(scores_of=scores_of):
            for score_of, y in zip(scores_of, ys, strict=True):
                trained = y.clone().requires_grad_()
                torch.autograd.grad(score_of(trained).sum(), trained)

        found[name] = shortest(step)
    return found


def draw(results, path):
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    looks = [("k", "--", ""), ("#0072B2", "-", "o"), ("#D55E00", "-", "s")]
    looks += [("#009E73", "-", "^"), ("#CC79A7", "-", "D")]
    figure, axes = plt.subplots(1, 4, figsize=(8.6, 2.6), sharey=True, layout="constrained")
    for axis, (what, sweep), place in zip(axes, results.items(), range(4), strict=True):
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
        print(f"\n| samples | neurons | seeds | datasets | {' | '.join(names)} |")
        print("|" + "---|" * (4 + len(names)))
        for shape, found in results[what].items():
            base = found["matrix products"]
            ratios = [f"{found[name] / base:.2f} ×" for name in names[1:]]
            print(f"| {' | '.join(map(str, shape))} | {base:.1f} ms | {' | '.join(ratios)} |")
    if path:
        draw(results, path)


if __name__ == "__main__":
    main(*sys.argv[1:])
