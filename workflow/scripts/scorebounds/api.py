"""The public functions: from arrays to interpreted scores.

Activity may be a NumPy array, torch tensor, xarray DataArray or pandas DataFrame of shape
(n_samples, n_neurons) or (n_times, n_conditions, n_neurons), in any real number type.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import xarray as xr

from scorebounds.analyses import inputs

if TYPE_CHECKING:
    from scorebounds.analyses.card import ScoreCard
    from scorebounds.analyses.models import Comparison, ScoreTable
    from scorebounds.analyses.ranges import PairOfRanges
    from scorebounds.analyses.thresholds import Thresholds

Matching = str | Sequence[str] | Mapping[str, Any]


def score(
    x: Any,
    y: Any,
    measure: str = "cka",
    *,
    groups: Any = None,
    memory_limit: float | None = None,
    match: Matching = "order",
) -> float:
    """Score how well `y` matches `x`.

    Parameters
    ----------
    x, y : array_like
        Activity; row i of both belongs to the same sample.
    measure : str
        Id or alias; `scorebounds.measures.names()` lists them.
    groups : array_like, shape (n_samples,), optional
        The condition of each row, for cross-validated measures: rows of one condition are either
        all in the training set or all held out. Other measures do not depend on it. Not given:
        rows in which `y` is equal are of one condition if most rows have such another, unless axes
        or names say that rows are conditions or times, or arrays are read in blocks.
    memory_limit : float, optional
        In GB. Arrays that need more in memory are read in blocks where the measure allows it
        (docs/library.md): memory-mapped NumPy arrays, datasets of zarr and h5py, DataArrays. Not
        given: half of the memory that is free. Dask arrays are always computed in blocks.
    match : str or sequence of str
        As in `scores`. Rows of `x` that are paired with one row of `y` are averaged, and so are
        rows of equal name, without `groups` and unless arrays are read in blocks. Other than by
        order, arrays are read into memory.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the arrays cannot be compared, or the measure is not defined for them.

    Examples
    --------
    >>> import numpy as np, scorebounds as sb
    >>> x = np.random.default_rng(0).normal(size=(50, 10))
    >>> round(sb.score(x, 3 * x), 6)
    1.0
    """
    from scorebounds.analyses.models import held_out_together, score_matched, score_pair
    from scorebounds.analyses.out_of_core import score_in_blocks
    from scorebounds.datasets.trials import has_trials

    is_in_order = match == "order" and not has_trials(x)
    if is_in_order:
        in_blocks = score_in_blocks(x, y, measure, groups, memory_limit)
        if in_blocks is not None:
            return in_blocks
    pair = inputs.recording(x, "x"), inputs.recording(y, "y")
    if is_in_order:
        matched = inputs.matched(*pair, match, average_repeats=groups is None)
        if len(matched.condition) == matched.n_conditions:
            x, y = matched.reference, matched.model
            groups = held_out_together(matched, measure) if groups is None else groups
            return score_pair(x, y, measure, groups)
        return score_matched(matched, measure)
    return score_matched(inputs.matched(*pair, match, groups), measure)


def scores(
    x: Any, models: Any, measures: Iterable[str] | None = None, *, match: Matching = "order"
) -> "ScoreTable":
    """Score one or several models, or the layers of a model, with several measures.

    Parameters
    ----------
    x : array_like
        Activity of the recording.
    models : mapping of str to array_like, or array_like
        Activity of each model, for example the result of `activations`.
    measures : iterable of str, optional
        Not given: the default measures of a score card.
    match : str or sequence of str
        `order`: row i goes with row i. `names`: rows of equal name. A list of labels: rows that
        agree in all of them.

    Returns
    -------
    ScoreTable
        A DataFrame with the columns model, measure, score, note; `.plot()` draws the profile over
        models or layers. Where a measure is not defined the score is missing and the note says why.

    Examples
    --------
    >>> import numpy as np, scorebounds as sb
    >>> x = np.random.default_rng(0).normal(size=(50, 10))
    >>> sb.scores(x, {"copy": x, "part": x[:, :3]}, ["cka", "linreg"]).round(3)
      model measure  score note
    0  copy     cka  1.000
    1  copy  linreg  1.000
    2  part     cka  0.591
    3  part  linreg  0.352
    """
    from scorebounds.analyses.models import score_models

    reference = inputs.recording(x, "x")
    matched = inputs.matched_models(reference, models, match)
    return score_models(matched, inputs.measure_ids(measures))


def card(
    x: Any,
    y: Any,
    measures: Iterable[str] | None = None,
    *,
    match: Matching = "order",
    n_permutations: int = 200,
    thresholds: Any = None,
    seed: int = 0,
    groups: Any = None,
    subjects: Any = None,
) -> "ScoreCard":
    """Interpret the scores of a model: is this score good?

    Parameters
    ----------
    x, y : array_like
        Activity of the recording and of the model. Several rows of `x` that are paired with one
        row of `y` are trials of one condition, and give a noise ceiling.
        Rows that are times, with dimensions (time, neuron) of a DataArray, are shifted to estimate
        chance, and so are rows with correlated neighbours, unless (condition, neuron) or names say
        that they are conditions, which are permuted.
    measures : iterable of str, optional
        Not given: the default measures.
    match : str or sequence of str
        As in `scores`.
    n_permutations : int
        Permutations of the model's conditions, for the null distribution.
    thresholds : Thresholds, DataFrame or path, optional
        From `thresholds`, or results/tables/thresholds.csv of the workflow: adds which components
        and variables synthetic data with this score capture.
    seed : int
        The same arrays and seed give the same numbers.
    groups : str or array_like, shape (n_rows,), optional
        A label of `x`, or a value for each row of it, such as the run, session or film. Conditions
        of one group resemble each other: they are held out together, and permuted within groups.
    subjects : str or array_like, shape (n_neurons,), optional
        A coordinate along the neurons of `x`, or the subject of each of its neurons. Adds the
        inter-subject ceiling: how well the other subjects' neurons match those of one subject.

    Returns
    -------
    ScoreCard

    Examples
    --------
    >>> import numpy as np, scorebounds as sb
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(60, 8))
    >>> card = sb.card(x, x + rng.normal(size=x.shape), ["cka"], n_permutations=99)
    >>> card.table.verdict.item(), card.table.p.item()
    ('better than chance', 0.01)
    """
    from scorebounds.analyses.card import make_card, threshold_rows

    pair = inputs.recording(x, "recording"), inputs.recording(y, "model")
    for side in pair:
        inputs.require_varying(side)
    return make_card(
        pair,
        inputs.matched(*pair, match, groups, subjects),
        inputs.measure_ids(measures),
        match=match,
        n_permutations=inputs.positive(n_permutations, "n_permutations"),
        thresholds=threshold_rows(thresholds, pair[0].attrs["dataset"]),
        seed=inputs.whole(seed, "seed"),
    )


def compare(
    x: Any,
    models: Mapping[str, Any],
    measures: Iterable[str] | None = None,
    *,
    match: Matching = "order",
) -> "Comparison":
    """Compare models of the same recording: which one is closer, and is the difference certain?

    Parameters
    ----------
    x : array_like
        Activity of the recording.
    models : mapping of str to array_like
        At least two models.
    measures : iterable of str, optional
    match : str or sequence of str
        As in `scores`.

    Returns
    -------
    Comparison
        `.table` has the difference of every two models with a 95 % interval.

    Examples
    --------
    >>> import numpy as np, scorebounds as sb
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(60, 8))
    >>> models = {"near": x + 0.1 * rng.normal(size=x.shape), "far": rng.normal(size=x.shape)}
    >>> sb.compare(x, models, ["cka"]).table.closer.item()
    'near'
    """
    from scorebounds.analyses.models import compare_models

    reference = inputs.recording(x, "recording")
    matched = inputs.matched_models(reference, models, match)
    if len(matched) < 2:
        raise ValueError(f"expected at least two models to compare, got {len(matched)}")
    name = str(reference.attrs["dataset"])
    return compare_models(matched, inputs.measure_ids(measures), recording=name)


def bounds(x: Any, **given: float) -> pd.DataFrame:
    """Return the proven range of every other measure, given one score.

    Parameters
    ----------
    x : array_like
        Activity of the recording.
    **given : float
        One measure and its score, such as `cka=0.83`.

    Returns
    -------
    DataFrame
        Columns measure, low, high: no data compared with `x` that have this score can have a score
        outside of them. Measures about which nothing is proven are left out, and an end is NaN
        where nothing is. `.attrs["bound"]` maps each measure to `exact` where both ends are the
        best possible, `certified` where both are within about 0.002 of what data with enough
        samples attain, and `proven` for others, which can be loose.

    Examples
    --------
    >>> import numpy as np, scorebounds as sb
    >>> x = np.random.default_rng(0).normal(size=(50, 10))
    >>> table = sb.bounds(x, cka=0.83).set_index("measure")
    >>> bool(table.low["nbs"] <= table.high["nbs"] <= 1)
    True
    """
    from scorebounds.analyses.bounds import proven_table

    if len(given) != 1:
        raise ValueError(
            f"expected one measure with its score, such as cka=0.83, got {len(given)} of them"
        )
    ((measure, value),) = given.items()
    table = proven_table(inputs.recording(x, "x"), measure, inputs.number(value, measure))
    table.attrs["bound"] = table.set_index("measure").pop("bound").to_dict()
    return table.drop(columns="bound")


def ranges(x: Any, a: str, b: str, *, seed: int = 0) -> "PairOfRanges":
    """Search the smallest and largest score of measure `b` for each score of measure `a`.

    Parameters
    ----------
    x : array_like
        Activity of the recording.
    a, b : str
        Ids of measures with a gradient whose scores run up to 1.
    seed : int

    Returns
    -------
    PairOfRanges
        `.table` has the attained range and the proven bounds for each value of `a`. Seconds for
        CKA, NBS and linear regression, minutes and more for other measures.
    """
    from scorebounds.analyses.ranges import find_ranges

    reference = inputs.recording(x, "x")
    pair = inputs.measure_ids([a, b])
    if len(pair) < 2:
        raise ValueError(f"expected two different measures, got {a!r} and {b!r}")
    activity = inputs.samples(reference)
    return find_ranges(activity, (pair[0], pair[1]), str(reference.attrs["dataset"]), seed)


def thresholds(
    x: Any,
    measures: Iterable[str] | None = None,
    *,
    labels: Mapping[str, Any] | None = None,
    n_seeds: int = 5,
    seed: int = 0,
) -> "Thresholds":
    """Find the score at which each component and each variable is captured.

    Parameters
    ----------
    x : array_like
        Activity of the recording; the labels of a DataArray are its variables.
    measures : iterable of str, optional
        Not given: those of the default measures that have a gradient.
    labels : mapping of str to array_like, optional
        Task variables, one value per sample, or per condition.
    n_seeds : int
        Synthetic datasets per measure, each from its own random start.
    seed : int

    Returns
    -------
    Thresholds
        `card(..., thresholds=...)` takes it. Computing it takes minutes.
    """
    from scorebounds.analyses.thresholds import find_thresholds

    reference = inputs.with_labels(inputs.recording(x, "recording"), labels)
    return find_thresholds(
        reference,
        inputs.optimizable(measures),
        has_labels=bool(inputs.label_names(reference)),
        n_seeds=inputs.positive(n_seeds, "n_seeds"),
        seed=seed,
    )


def read(path: str | Path, **entry: Any) -> xr.DataArray:
    """Read a recording or the activations of a model from a file.

    Parameters
    ----------
    path : str or Path
        Its ending tells the format.
    **entry
        What an entry under `custom` in the configuration may say: array, axes, labels, average_by,
        units, time, drop, names (docs/data.md).

    Returns
    -------
    DataArray
        Dimensions (sample, neuron) or (time, condition, neuron), labels as coordinates.
    """
    from scorebounds.datasets.readers import custom
    from scorebounds.fetching.checksums import checksum_of

    file = Path(path)
    inputs.require_known(entry, custom.load)
    array = custom.load(file, **entry)
    facts = {"dataset": file.stem, "path": str(path)}
    if file.is_file():
        facts["checksum"] = checksum_of(file)
    return array.assign_attrs(facts)


def activations(
    model: Any,
    inputs: Any,
    *,
    layers: Sequence[str] | str | None = None,
    names: Sequence[str] | None = None,
    pool: str | None = None,
    batch_size: int = 64,
) -> dict[str, xr.DataArray]:
    """Record the activations of the layers of a torch model.

    Parameters
    ----------
    model : torch.nn.Module
        Run in eval mode, without gradients, on the device of its parameters.
    inputs : torch.Tensor, shape (n_samples, ...), or iterable of batches
    layers : sequence of str, or str, optional
        Names or patterns, as in `model.named_modules()`. Not given: every module without children.
        Modules that do not run once for each input are left out, unless they are named in full.
    names : sequence of str, optional
        Name of each sample, for `match="names"`.
    pool : str, optional
        `mean` or `max` over all axes after (sample, channel). Not given: all values are units.
    batch_size : int

    Returns
    -------
    dict of str to DataArray, dims (sample, neuron)

    Examples
    --------
    >>> import torch, scorebounds as sb
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU())
    >>> {name: layer.shape for name, layer in sb.activations(model, torch.ones(5, 4)).items()}
    {'0': (5, 3), '1': (5, 3)}
    """
    from scorebounds.networks.activations import layer_activations

    return layer_activations(
        model, inputs, layers=layers, names=names, pool=pool, batch_size=batch_size
    )
