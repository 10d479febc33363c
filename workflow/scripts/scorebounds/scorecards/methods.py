"""A paragraph on methods and the references behind it, for a paper."""

import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from scorebounds.core.measure_table import entry_of, measure_label
from scorebounds.scorecards.rows import PERMUTED, SHIFTED, WITHHELD
from scorebounds.scorecards.verdicts import listed

# What a card says of the data, in columns of its table; n_subjects is missing where not known.
SIZES = ("n_samples", "n_conditions", "n_reference_neurons", "n_neurons", "n_subjects")
_SOFTWARE = """\
@software{{scorebounds,
  title = {{scorebounds: what a similarity score between a brain and a model means}},
  author = {{{{The scorebounds authors}}}},
  version = {{{version}}}
}}"""
# A work as the references of measures cite it: surname of the first author, and year.
_CITED = re.compile(
    r"\b(?P<surname>[A-Z][\w-]+)(?: et al\.| (?:and|&) [A-Z][\w-]+)?,? (?P<year>\d{4})\b"
)


def methods_paragraph(facts: Mapping[str, Any], measures: Iterable[str], *, ceiling: bool) -> str:
    """Say in one paragraph how a score card was computed.

    Parameters
    ----------
    facts : mapping
        version, n_permutations, n_groups, seed, match (one word, or a list of labels), n_samples,
        n_conditions, n_reference_neurons (of the recording), n_neurons (of the model), and
        n_subjects where there are several, exchange where rows were not permuted, n_trials and
        match_note where trials were averaged or matching has something to say.
    measures : iterable of str
        Ids.
    ceiling : bool
        Whether there is a noise ceiling.
    """
    measures = list(measures)
    labels = listed([measure_label(name) for name in measures])
    match = facts["match"] if isinstance(facts["match"], str) else " and ".join(facts["match"])
    pairing = {"order": "by position", "names": "by name"}.get(match, f"by {match}")
    said = (
        f"Activity of the model ({facts['n_neurons']} units) was compared with the recording "
        f"({facts['n_reference_neurons']} neurons) on {facts['n_samples']} samples"
        f"{_of_conditions(facts)}, paired {pairing}, with scorebounds {facts['version']}."
        f"{_averaged(facts)} Similarity was measured by {labels}."
        f"{_scaled(measures)}{_chance(facts)}"
    )
    untested = [measure_label(name) for name in measures if entry_of(name).of_trajectories]
    if untested:
        said += f" {untested[0]} does not pair conditions and was not compared with chance."
    if ceiling:
        said += (
            " Noise ceilings, the scores of a model that knows the noise-free responses (Nili et "
            "al. 2014), were estimated from halves of the trials."
        )
    if facts.get("n_subjects", 1) > 1:
        said += (
            f" Inter-subject ceilings are mean scores of each of {facts['n_subjects']} subjects "
            "with the neurons of all others."
        )
    return (
        f"{said} Scores of other measures that are compatible with a score are proven bounds from "
        f"the spectrum of the recording (see Cloos et al. 2025). The random seed was "
        f"{facts['seed']}."
    )


def _of_conditions(facts: Mapping[str, Any]) -> str:
    is_permuted = facts.get("exchange", PERMUTED) == PERMUTED
    return f" of {facts['n_conditions']} conditions" if is_permuted else ""


def _averaged(facts: Mapping[str, Any]) -> str:
    """Say that trials were averaged, and what matching has done to the rows."""
    said = ""
    if facts.get("n_trials", 0) > facts["n_conditions"]:
        said = f" The {facts['n_trials']} rows of the recording were averaged within conditions."
    note = facts.get("match_note")
    return f"{said} {note[0].upper()}{note[1:]}." if isinstance(note, str) and note else said


def _scaled(measures: Iterable[str]) -> str:
    """Say which measures scored a model in another unit than its own."""
    fixed = [measure_label(name) for name in measures if entry_of(name).has_fixed_penalty]
    if not fixed:
        return ""
    return (
        f" For {listed(fixed)}, the model was scaled to a mean variance of 1 per unit, because "
        "the penalty is fixed."
    )


def _chance(facts: Mapping[str, Any]) -> str:
    exchange = facts.get("exchange", PERMUTED)
    if exchange == WITHHELD:
        return (
            " Neighbouring rows are correlated over so many rows that neither chance nor intervals "
            "were estimated."
        )
    orders = "random permutations of the model's conditions"
    if exchange == SHIFTED:
        orders = "circular shifts of the model's rows, which keep their correlation over time"
    said = (
        f" Each score was compared with those of up to {facts['n_permutations']} {orders} "
        "(one-sided p; Phipson and Smyth 2010), corrected for the number of measures by the "
        "maximum statistic."
    )
    if exchange == PERMUTED:
        said += (
            " Confidence intervals (95 %), where stated, are from a jackknife over "
            f"{facts['n_groups']} groups of conditions and of neurons of the recording; there, "
            "scores that are not cross-validated are corrected for few conditions and neurons, and "
            "cross-validated ones describe samples of the same size."
        )
    return said


def bibliography(references: Iterable[str], version: str, *, ceiling: bool) -> str:
    """Return BibTeX entries of the software, its methods, and the sources of the measures."""
    known = _known_entries()
    keys = ["cloos2025", "phipson2010"]
    if ceiling:
        keys.append("nili2014")
    for reference in references:
        keys += [key for key in cited_keys(reference) if key in known]
    entries = [known[key] for key in dict.fromkeys(keys)]
    return "\n\n".join([_SOFTWARE.format(version=version), *entries])


def methods_text(facts: Mapping[str, Any], card: pd.DataFrame, references: Iterable[str]) -> str:
    """Return the paragraph on a score card, and the BibTeX entries behind it."""
    ceiling = bool(card.ceiling_low.notna().any())
    row = card.iloc[0]
    facts = {**facts, "exchange": row.exchange, "match_note": row.match_note}
    facts["n_trials"] = int(row.n_trials)
    paragraph = methods_paragraph(facts, card.measure, ceiling=ceiling)
    return f"{paragraph}\n\n{bibliography(references, facts['version'], ceiling=ceiling)}\n"


def cited_keys(reference: str) -> list[str]:
    """Return the BibTeX keys of the works that the reference of a measure cites."""
    plain = unicodedata.normalize("NFKD", reference).encode("ascii", "ignore").decode()
    return [
        re.sub(r"\W", "", work["surname"].lower()) + work["year"] for work in _CITED.finditer(plain)
    ]


@functools.cache
def _known_entries() -> dict[str, str]:
    text = Path(__file__).with_name("references.bib").read_text(encoding="utf-8")
    entries = [entry.strip() for entry in re.split(r"\n\n(?=@)", text)]
    return {entry.split("{", 1)[1].split(",", 1)[0]: entry for entry in entries}
