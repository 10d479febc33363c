"""The range of a pair of scores on one dataset, by all three methods."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from torch import Tensor

from scorebounds.measures import registry
from scorebounds.measures.inputs import require_matrix
from scorebounds.ranges.joint import Joint
from scorebounds.ranges.joint_free import require_gradient_in_x
from scorebounds.ranges.problem import ENDS, PairProblem
from scorebounds.ranges.verdicts import verdict

logger = logging.getLogger(__name__)

# Values of a at which bounds are tabulated, and how near two values are the same.
N_CURVE, ON_GRID = 101, 1e-9


class PairRange(NamedTuple):
    """The range of one pair of scores on one dataset: see `pair_range`."""

    region: pd.DataFrame
    guides: pd.DataFrame
    trajectories: pd.DataFrame
    bounds: pd.DataFrame


def require_pair_of_scores(names: Sequence[str]) -> None:
    """Raise ValueError unless both measures have a gradient and run up to 1."""
    for name in names:
        measure = registry.load(name)
        if not measure.differentiable or measure.perfect != 1 or measure.bounds[1] != 1:
            raise ValueError(
                f"ranges need measures that have a gradient and run up to 1, got {name!r}"
            )
    if len(set(names)) != len(names):
        raise ValueError(f"a range needs two different measures, got {names[0]!r} twice")


def pair_range(
    x: Tensor, names: tuple[str, str], dataset: str, *, seed: int, settings: Mapping[str, Any]
) -> PairRange:
    """Find which values of one score go with each value of another.

    Parameters
    ----------
    x : Tensor, shape (n_samples, n_x)
        The reference; Y has at most its width.
    names : tuple of str
        Ids of measures a and b.
    dataset : str
        Name, for the tables and the random streams.
    seed : int
    settings : mapping
        The section `ranges` of the configuration.

    Returns
    -------
    PairRange
        `region`: per value of a, the lower and upper end of b by the joint optimisation of Cloos et
        al. 2025 (`joint`; `paper` is an alias), by constrained search (`attained`) and the bound
        that no Y can cross (`outer`); empty where a method has none. `joint_x` says whether X was
        fixed or free; points reached with X free do not belong to the region of this X.
        `certified` ends are proven as well and within `certificate_tolerance` of an attained end
        where the pair is CKA and NBS, exact where one is linear regression.
        `guides`: which b are compatible with an a of at least the reference level, and the reverse.
        `trajectories`: those of the joint optimisation, thinned. `bounds`: both kinds of bounds at
        many values of a, for curves.

    Raises
    ------
    ValueError
        If the data or the pair of measures cannot be used.
    """
    require_pair_of_scores(names)
    if settings["joint"]["x"] == "free":
        require_gradient_in_x(names)
    require_matrix(x)
    problem = PairProblem(x, names, dataset, seed, settings)
    grid = np.linspace(0, 1, problem.n_grid)
    logger.info("ranges of %s given %s: optimising both scores jointly", names[1], names[0])
    joint, reached = problem.joint_optimisation(grid)
    region = pd.DataFrame({"dataset": dataset, "a": names[0], "b": names[1], "a_value": grid})
    region["joint_x"] = settings["joint"]["x"]
    others = {key: y for key, (x_there, y) in reached.items() if x_there is problem.x}
    outer = problem.outer(names, grid)
    for number, (end, sign) in enumerate(ENDS.items()):
        logger.info("searching the %s ends, %d of %d", end, number + 1, len(ENDS))
        best, counts = problem.attained(names, grid, sign, others)
        region[f"joint_{end}"] = [problem.score_b(reached.get((i, sign))) for i in range(len(grid))]
        region[f"attained_{end}"] = best
        region[f"outer_{end}"] = outer[number]
        region[f"gap_{end}"] = sign * (outer[number] - best)
        region[f"n_starts_{end}"], region[f"n_agreed_{end}"] = counts
    logger.info("certifying the ends")
    add_certified(region, problem)
    for name in ("x", *ENDS):
        region[f"paper_{name}"] = region[f"joint_{name}"]
    guides = reference_level_table(problem, region)
    trajectories = trajectory_table(joint, dataset, names, settings["n_kept"])
    return PairRange(region, guides, trajectories, bounds_table(problem))


def add_certified(region: pd.DataFrame, problem: PairProblem) -> None:
    """Add the certified ends of b at each value of a, and how far they are from the attained."""
    lower, upper = problem.certified(problem.names, region.a_value.to_numpy())
    region["certified_lower"] = np.fmax(region.outer_lower, lower)
    region["certified_upper"] = np.fmin(region.outer_upper, upper)
    for end, sign in ENDS.items():
        gap = sign * (region[f"certified_{end}"] - region[f"attained_{end}"])
        region[f"certified_gap_{end}"] = gap
    region["certificate_tolerance"] = np.where(
        np.isnan(upper), np.nan, problem.settings["certificate"]["tolerance"]
    )


def bounds_table(problem: PairProblem) -> pd.DataFrame:
    """Tabulate the bounds of b at many values of a, close enough to be drawn as a curve."""
    values = np.linspace(0, 1, N_CURVE)
    outer = problem.outer(problem.names, values)
    certified = np.linspace(0, 1, problem.settings["certificate"]["n_values"])
    lower, upper = problem.certified(problem.names, certified)
    # Both ends increase with a: between two values the lower end of the smaller holds, and the
    # upper end of the larger.
    lower = lower[np.searchsorted(certified, values + ON_GRID, side="right") - 1]
    upper = upper[np.searchsorted(certified, values - ON_GRID)]
    return pd.DataFrame(
        {
            "dataset": problem.dataset,
            "a": problem.names[0],
            "b": problem.names[1],
            "a_value": values,
            "outer_lower": outer[0],
            "outer_upper": outer[1],
            "certified_lower": np.fmax(outer[0], lower),
            "certified_upper": np.fmin(outer[1], upper),
        }
    )


def reference_level_table(problem: PairProblem, region: pd.DataFrame) -> pd.DataFrame:
    """Return which scores of each measure are compatible with a high score of the other."""
    level = problem.settings["reference_level"]
    a, b = problem.names
    high = region[region.a_value >= level - 1e-9]
    levels = np.unique([level, 1.0])
    forward = [high.attained_lower.min(), high.attained_upper.max()]
    if abs(region.a_value - level).min() > 1e-9:  # the level is not on the grid
        at = [problem.attained((a, b), levels, sign, {})[0] for sign in ENDS.values()]
        forward = [np.fmin(forward[0], at[0].min()), np.fmax(forward[1], at[1].max())]
    back = {end: problem.attained((b, a), levels, sign, {})[0] for end, sign in ENDS.items()}
    reached = region.a_value[region.attained_upper >= level]
    lower = pd.Series([*back["lower"], *reached]).min()
    upper = pd.Series([*back["upper"], *reached]).max()
    fine = np.linspace(level, 1, 6)
    rows = []
    for given, implied, ends in ((a, b, forward), (b, a, (lower, upper))):
        outer = problem.outer((given, implied), fine)
        names = {"dataset": problem.dataset, "given": given, "implied": implied, "level": level}
        proven = {"outer_low": outer[0].min(), "outer_high": outer[1].max()}
        # The upper end is that of a score of 1, which X itself attains.
        lower, _ = problem.certified((given, implied), np.array([level]), ["lower"])
        proven["certified_low"] = np.fmax(proven["outer_low"], lower[0])
        proven["certified_high"] = proven["outer_high"]
        rows.append({**names, "low": ends[0], "high": ends[1], **proven})
    table = pd.DataFrame(rows)
    table["verdict"] = verdict(table.low[0], table.low[1])
    return table


def trajectory_table(
    joint: Joint, dataset: str, names: tuple[str, str], n_kept: int
) -> pd.DataFrame:
    """Tabulate the trajectories of the joint optimisation, at most `n_kept` points of each."""
    tables = []
    for number, (target, scores) in enumerate(zip(joint.targets, joint.scores, strict=True)):
        steps = np.unique(np.linspace(0, len(scores) - 1, n_kept).round().astype(int))
        tables.append(
            pd.DataFrame(
                {
                    "dataset": dataset,
                    "a": names[0],
                    "b": names[1],
                    "target": number,
                    "a_target": target[0],
                    "b_target": target[1],
                    "step": steps,
                    "a_value": scores[steps, 0],
                    "b_value": scores[steps, 1],
                }
            )
        )
    return pd.concat(tables)
