"""How often comparisons of models name a closer one, in worlds where it is known.

In the folder tests, `python -m helpers.rivals 100` prints a table of docs/truth.md.
"""

import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.worlds import N_LATENTS, latents, matched_pair, population
from scorebounds.analyses.inputs import DEFAULT_MEASURES
from scorebounds.scorecards.comparisons import compare
from scorebounds.scorecards.inference import score_model
from scorebounds.scorecards.resampling import ResamplingSettings
from scorebounds.scorecards.rows import CONDITIONS


def of_other_width(rng):
    """Neither model knows anything; one has 5 dimensions and the other 35."""
    x = population(rng, 40, 30)
    return x, {"few": population(rng, 40, 5), "many": rng.standard_normal((40, 35))}, None


def in_runs(rng):
    """The same, with conditions that resemble each other within runs."""
    run = np.repeat(np.arange(8), 5)
    x, models, _ = of_other_width(rng)
    sides = [s + rng.standard_normal((8, s.shape[1]))[run] for s in (x, *models.values())]
    return sides[0], dict(zip(models, sides[1:], strict=True)), run


def equally_good(rng):
    """Both know the same of the recording, with noise of their own."""
    z = latents(rng, 40)
    x = population(rng, 40, 30, z)
    models = {name: z[:, :6] + 0.5 * rng.standard_normal((40, 6)) for name in ("one", "other")}
    return x, models, None


def of_other_spectrum(rng):
    """Neither knows anything; one has 100 independent units and the other's variance falls."""
    x = population(rng, 72, 60)
    falling = latents(rng, 72) * np.sqrt(1 / np.arange(1, N_LATENTS + 1))
    steep = population(rng, 72, 100, falling)
    return x, {"steep": steep, "flat": rng.standard_normal((72, 100))}, None


def four_models(rng):
    """None of four models knows anything."""
    x = population(rng, 40, 30)
    return x, {f"of {width}": rng.standard_normal((40, width)) for width in (3, 8, 20, 60)}, None


def better_and_wider(rng):
    """One knows more of the recording, the other is wider."""
    x = population(rng, 40, 30)
    latent = np.linalg.svd(x - x.mean(0), full_matrices=False)[0] * 40**0.5
    good = latent[:, :6] + 0.2 * rng.standard_normal((40, 6))
    poor = np.hstack([latent[:, 3:6] + rng.standard_normal((40, 3)), rng.standard_normal((40, 20))])
    return x, {"good": good, "poor": poor}, None


def noisier(rng):
    """Both know the same latents, one with twice the noise."""
    z = latents(rng, 40)
    x = population(rng, 40, 30, z)
    models = {
        name: z[:, :6] + noise * rng.standard_normal((40, 6))
        for name, noise in (("good", 0.3), ("poor", 0.6))
    }
    return x, models, None


def informed(rng):
    """One knows a part of the recording, and the other nothing; both have six units."""
    z = latents(rng, 40)
    x = population(rng, 40, 30, z)
    good = z[:, :6] + rng.standard_normal((40, 6))
    return x, {"good": good, "poor": population(rng, 40, 6)}, None


WITHOUT_WINNER = {
    "two models that know nothing, of 5 and 35 dimensions": of_other_width,
    "the same, in runs": in_runs,
    "two that know nothing, one with independent units": of_other_spectrum,
    "two equally good models": equally_good,
    "four models that know nothing": four_models,
}
WITH_WINNER = {
    "a better and a wider model": better_and_wider,
    "one knows something, the other nothing": informed,
    "the same latents, with noise of 0.3 and 0.6": noisier,
}


def comparison_of(rivals, measures, seed, n_groups=10):
    """Return the table of the comparison of two models."""
    x, models, groups = rivals
    settings = ResamplingSettings(39, n_groups, seed)
    pairs = {
        name: replace(matched_pair(x, y), groups=groups, rows_are=CONDITIONS)
        for name, y in models.items()
    }
    tables = [score_model(pair, measures, settings) for pair in pairs.values()]
    return compare(
        *(
            pd.concat(parts, keys=models, names=["model"]).reset_index("model")
            for parts in zip(*tables, strict=True)
        )
    )


def verdicts_of(world, n, seed):
    """Return for n draws which measures name the good model, and which one that is not closer."""
    rng = np.random.default_rng(seed)
    for draw in range(n):
        table = comparison_of(world(rng), list(DEFAULT_MEASURES), draw)
        named = table[table.closer != ""]
        is_good = named.closer == "good"
        yield set(named.measure[is_good]), set(named.measure[~is_good])


def main(n):
    heads = ["models", "any measure", *DEFAULT_MEASURES]
    print(f"| {' | '.join(heads)} |\n|---" + "|---" * len(heads[1:]) + "|")
    for seed, (name, world) in enumerate((WITHOUT_WINNER | WITH_WINNER).items()):
        right, wrong = Counter(), Counter()
        for good, others in verdicts_of(world, n, seed):
            right.update([*good, *(["any"] if good else [])])
            wrong.update([*others, *(["any"] if others else [])])
        keys = ("any", *DEFAULT_MEASURES)
        cells = (f"{wrong[key] / n:.0%}, {right[key] / n:.0%}" for key in keys)
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
