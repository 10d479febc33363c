"""A paragraph on methods and the references behind it, for a paper."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from scorebounds.core.measure_table import measure_label
from scorebounds.measures import registry

_SOFTWARE = """\
@software{{scorebounds,
  title = {{scorebounds: what a similarity score between a brain and a model means}},
  author = {{{{The scorebounds authors}}}},
  version = {{{version}}}
}}"""
_CLOOS = "Cloos et al. 2025, Differentiable Optimization of Similarity Scores Between Models and "
_CLOOS += "Brains, arXiv:2407.07059"
_PHIPSON = "Phipson and Smyth 2010, Permutation P-values should never be zero, "
_PHIPSON += "doi:10.2202/1544-6115.1585"
_NILI = "Nili et al. 2014, A toolbox for representational similarity analysis, "
_NILI += "doi:10.1371/journal.pcbi.1003553"
_WORK = re.compile(
    r"(?P<who>[^,;]+?) (?P<year>\d{4}), (?P<title>[^,]+(?:, [^,]+?)*?), "
    r"(?P<kind>arXiv:|doi:|bioRxiv )(?P<number>[\w./-]+\w)"
)


def methods_paragraph(facts: Mapping[str, Any], measures: Iterable[str], *, ceiling: bool) -> str:
    """Say in one paragraph how a score card was computed.

    Parameters
    ----------
    facts : mapping
        version, n_permutations, n_groups, seed, match, n_samples, n_conditions, n_neurons.
    measures : iterable of str
        Ids.
    ceiling : bool
        Whether there is a noise ceiling.
    """
    labels = [measure_label(name) for name in measures]
    listed = " and ".join([", ".join(labels[:-1]), labels[-1]] if labels[1:] else labels)
    pairing = {"order": "by position", "names": "by name"}.get(
        str(facts["match"]), f"by {facts['match']}"
    )
    said = (
        f"Activity of the model ({facts['n_neurons']} units) was compared with the recording on "
        f"{facts['n_samples']} samples of {facts['n_conditions']} conditions, paired {pairing}, "
        f"with scorebounds {facts['version']}. Similarity was measured by {listed}. Each score was "
        f"compared with those of up to {facts['n_permutations']} random permutations of the "
        "model's conditions (one-sided p; Phipson and Smyth 2010). Confidence intervals (95 %) "
        f"come from a jackknife over {facts['n_groups']} groups of conditions and of neurons of "
        "the recording."
    )
    if ceiling:
        said += " Noise ceilings were estimated from single trials (after Nili et al. 2014)."
    return (
        f"{said} Scores of other measures that are compatible with a score are proven bounds from "
        f"the spectrum of the recording (see Cloos et al. 2025). The random seed was "
        f"{facts['seed']}."
    )


def bibliography(measures: Iterable[str], version: str, *, ceiling: bool) -> str:
    """Return BibTeX entries of the software, its methods and the measures."""
    sources = [_CLOOS, _PHIPSON, *([_NILI] if ceiling else [])]
    sources += [registry.load(name).reference for name in measures]
    entries: dict[str, str] = {}
    for source in sources:
        for work in _WORK.finditer(source):
            key, entry = _entry(work)
            entries.setdefault(key, entry)
    return "\n\n".join([_SOFTWARE.format(version=version), *entries.values()])


def _entry(work: re.Match[str]) -> tuple[str, str]:
    who = work["who"].removeprefix("and ").strip()
    surname = re.split(r" et al\.| and ", who)[0].split()[-1]
    key = re.sub(r"\W", "", surname.lower()) + work["year"]
    author = who.replace(" et al.", " and others")
    place = {"arXiv:": "eprint", "doi:": "doi", "bioRxiv ": "note"}[work["kind"]]
    number = f"bioRxiv {work['number']}" if place == "note" else work["number"]
    archive = "  archiveprefix = {arXiv},\n" if place == "eprint" else ""
    return key, (
        f"@misc{{{key},\n  author = {{{author}}},\n  title = {{{work['title']}}},\n"
        f"  year = {{{work['year']}}},\n{archive}  {place} = {{{number}}}\n}}"
    )
