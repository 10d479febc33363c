"""The one or two sentences at the top of a score card."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from scorebounds.core.measure_table import entry_of, measure_label
from scorebounds.scorecards.formatting import (
    SIGNIFICANT,
    decimals,
    number,
    percent,
    probability,
)
from scorebounds.scorecards.rows import SHIFTED, WITHHELD, chance_called, rows_called
from scorebounds.scorecards.verdicts import (
    ABOVE_CHANCE,
    EXPLAINED,
    N_SHOWN,
    PERFECT,
    REACHES_CEILING,
    WITHOUT_VERDICT,
    WORSE_THAN_MEAN,
    listed,
)

# Names that the library gives to arrays without one; sentences have an article before them.
NOT_NAMED = ("model", "recording")
# A measure whose meaning readers know is quoted first, where it is on the card.
# Share of the linear CKA that the named components carry at least.
MOST_OF_CKA = 0.9
QUOTED = ("cka", "cka_debiased", "nbs", "procrustes_angular")


def headline(card: pd.DataFrame, model: str, reference: str) -> str:
    """Say in one or two sentences whether a model is close to a recording.

    Parameters
    ----------
    card : DataFrame
        From `verdicts.interpret`.
    model, reference : str
        Their names.
    """
    model, reference = (f"the {name}" if name in NOT_NAMED else name for name in (model, reference))
    decided = card[~card.verdict.isin(WITHOUT_VERDICT)]
    others = _sentence_of_others(card[card.verdict.isin(WITHOUT_VERDICT)])
    # Missing where the card was read from a file.
    others += [note for note in card.order_note.iloc[:1].dropna() if note]
    if decided.empty:
        said = [f"No measure on this card can tell how close {model} is to {reference}.", *others]
        return " ".join(said)
    above = decided[decided.verdict.isin(ABOVE_CHANCE)]
    said = [_chance_sentence(decided, above, model, reference)]
    if above.empty:
        said.append(f"No measure on this card shows that {model} is like {reference}.")
    else:
        said += [*_ceiling_sentence(decided), *_captured_sentence(above, reference)]
    return _capitalised(" ".join([*said, *others]), model)


def _capitalised(text: str, model: str) -> str:
    """Begin with a capital, unless the text begins with a name."""
    return text[0].upper() + text[1:] if model.startswith("the ") else text


def _sentence_of_others(rows: pd.DataFrame) -> list[str]:
    """Name the measures without a verdict, so that their scores are not taken for good ones."""
    return [
        f"No verdict by {_names(group.measure)} ({verdict})."
        for verdict, group in rows.groupby("verdict", sort=False)
    ]


def _chance_sentence(decided: pd.DataFrame, above: pd.DataFrame, model: str, reference: str) -> str:
    n = len(decided)
    corrected = " (p corrected for their number)" if n > 1 else ""
    if len(above) == n:
        by = {1: "the one measure", 2: "both measures"}.get(n, f"all {n} measures")
        said = f"{model} is closer to {reference} than chance by {by}{corrected}"
    elif above.empty:
        by = {1: "the one measure", 2: "either measure"}.get(n, f"any of {n} measures")
        is_worse = (decided.verdict == WORSE_THAN_MEAN) & (decided.p_corrected <= SIGNIFICANT)
        # Their p is that of a weak relation, but they are no better than the mean.
        are = "no better than the mean or " if is_worse.any() else ""
        said = f"{model} is {are}not distinguishable from chance by {by}{corrected}"
    else:
        rest = decided[~decided.index.isin(above.index)]
        said = f"{model} is closer to {reference} than chance by {len(above)} of {n} measures"
        said += corrected
        few = len(above) < len(rest)
        said += f", only by {_names(above.measure)}" if few else f", not by {_names(rest.measure)}"
    perfect = above[above.verdict == PERFECT]
    if len(perfect):
        said += f", and perfect by {_names(perfect.measure) if len(perfect) < n else 'all'}"
    return f"{said}."


def _ceiling_sentence(decided: pd.DataFrame) -> list[str]:
    """Say by which measures a model reaches its noise ceiling, and by which it is below.

    It is below where the whole interval of the ceiling is above its score. Ceilings of held-out
    scores are upper limits, which no model reaches with few training data.
    """
    known = decided[decided.ceiling.notna()]
    reached = known[known.verdict.isin(REACHES_CEILING)]
    if len(known) and len(reached) == len(known):
        return ["It reaches the noise ceiling by every measure that has one."]
    is_limit = [entry_of(name).cross_validated for name in known.measure]
    below = known[(known.ceiling_score < known.ceiling_low) & ~np.array(is_limit, dtype=bool)]
    parts = []
    if len(reached):
        parts.append(f"reaches the noise ceiling by {_names(reached.measure)}")
    if len(below):
        what = "it" if parts else "the noise ceiling"
        parts.append(f"is below {what} by {_names(below.measure)}{_way_to_ceiling(below)}")
    return [f"It {' and '.join(parts)}."] if parts else []


def _way_to_ceiling(known: pd.DataFrame) -> str:
    """Say how far the scores are from chance to the noise ceiling, to 5%."""
    # A ceiling of some of the neurons has another level of chance, which is not known.
    same = known[np.isclose(known.ceiling_score, known.score)]
    if same.empty:
        return ""
    way = (same.score - same.null_mean) / (same.ceiling - same.null_mean)
    least, most = (5 * round(20 * end) for end in (way.min(), way.max()))
    span = f"{least}%" if least == most else f"{least} to {most}%"
    return f", about {span} of the way from chance to it"


def _captured_sentence(above: pd.DataFrame, reference: str) -> list[str]:
    """Quote one measure: what data with this score have captured."""
    known = above[above.n_pcs.notna()].set_index("measure")
    name = next((name for name in (*QUOTED, *known.index) if name in known.index), None)
    if name is None:
        return []
    row = known.loc[name]
    said = (
        f"Data optimised to its {measure_label(name)} of "
        f"{number(row.score, decimals(row))} capture "
        f"{row.pcs_at_score:.0f} of {row.n_pcs:.0f} components of {reference}"
    )
    missing = row.variables_missing
    if isinstance(missing, str) and missing.split():
        words = missing.split()
        are = "is" if len(words) == 1 else "are"
        quoted = listed([f"“{each}”" for each in words])
        said += f"; {quoted} {are} not decodable from all of them"
    return [f"{said}."]


def _names(measures: Iterable[str]) -> str:
    labels = [measure_label(name) for name in measures]
    if len(labels) > N_SHOWN:
        labels = [*labels[:N_SHOWN], f"{len(labels) - N_SHOWN} more"]
    return listed(labels)


def model_statement(components: pd.DataFrame) -> str:
    """Say once per card what the model itself explains of held-out conditions.

    Parameters
    ----------
    components : DataFrame
        From `explained.explained_components`.
    """
    exchange = components.exchange.iloc[0]
    if exchange == WITHHELD:
        return (
            "What the model explains of held-out rows is not stated, because neighbouring rows are "
            "correlated."
        )
    rows, exchanged = rows_called(exchange), chance_called(exchange)
    if components.r2.isna().all():
        return f"There are too few {rows} to say what the model explains of held-out ones."
    total = components.iloc[0]
    if total.total_smallest_p > SIGNIFICANT:
        return (
            f"A linear map of the model has an R² of {number(total.total_r2)} for held-out {rows} "
            f"({exchanged} {number(total.total_r2_chance)}); there are too few {rows} to compare "
            "it with chance."
        )
    if total.total_p > SIGNIFICANT:
        return (
            f"A linear map of the model does not explain held-out {rows} better than chance "
            f"(R² {number(total.total_r2)}; {exchanged} {number(total.total_r2_chance)}, "
            f"p = {probability(total.total_p)})."
        )
    if total.total_r2 <= 0:
        return (
            f"A linear map of the model predicts held-out {rows} worse than their mean does "
            f"(R² {number(total.total_r2)})."
        )
    n = round(1 / total.total_smallest_p) - 1
    orders = "circular shifts" if exchange == SHIFTED else "permutations"
    said = (
        f"A linear map of the model explains {percent(total.total_r2)} of the variance of held-out "
        f"{rows}, more than with any of {n} {orders} of the {rows} "
        f"({percent(total.total_r2_chance)} on average)"
    )
    if np.isfinite(total.total_explainable):
        said += (
            f"; by the halves of the trials, {percent(total.total_explainable)} of the variance is "
            "not trial noise"
        )
    parts = [f"{said}.", _components_sentence(components, exchanged), _shared_sentence(components)]
    return " ".join(parts)


def _components_sentence(components: pd.DataFrame, exchanged: str) -> str:
    """Name the components that are explained, and those that are without the order, too."""
    explained = components[components.r2 >= EXPLAINED]
    if explained.empty:
        return "It explains half of the variance of no single PC."
    said = f"It explains at least half of the variance of {_pcs(explained.target)}"
    # With a time course that all conditions share, permuted conditions explain a part as well.
    by_chance = explained[explained.r2_chance >= EXPLAINED]
    if len(by_chance):
        said += f"; with {exchanged}, it also explains at least half of {_pcs(by_chance.target)}"
    return f"{said}."


def _shared_sentence(components: pd.DataFrame) -> str:
    """Name the fewest components that carry most of the linear CKA."""
    ordered = components.sort_values("share_of_cka", ascending=False, kind="stable")
    carried = ordered.share_of_cka.cumsum()
    n = int((carried < MOST_OF_CKA).sum()) + 1
    verb = "carries" if n == 1 else "carry"
    return (
        f"{_pcs(ordered.target.head(n))} {verb} {percent(carried.iloc[n - 1])} of its linear CKA."
    )


def _pcs(targets: pd.Series) -> str:
    shown = [f"{target:.0f}" for target in targets.head(N_SHOWN)]
    if len(targets) > N_SHOWN:
        n_others = len(targets) - N_SHOWN
        shown.append(f"{n_others} {'other' if n_others == 1 else 'others'}")
    return f"{'PC' if len(shown) == 1 else 'PCs'} {listed(shown)}"
