"""The first page of a run: every dataset, score card, figure and table, one line each."""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

import pandas as pd

from scorebounds.core.templates import load_template
from scorebounds.figures.registry import FIGURES
from scorebounds.pages.tables import TABLES
from scorebounds.scorecards.headline import headline

_FOLDER = Path(__file__).parent
_TEMPLATE = load_template(_FOLDER / "index.html.j2")
_STYLE = (_FOLDER / "page.css").read_text(encoding="utf-8")
# Datasets that the settings do not choose are not missing.
NOT_CHOSEN = "not in `datasets`"

Line = dict[str, Any]
Group = dict[str, Any]


def index_page(
    files: Iterable[str],
    reports: Mapping[str, str],
    cards: pd.DataFrame | None = None,
    availability: pd.DataFrame | None = None,
) -> str:
    """Write the index of a run as one page of HTML.

    Parameters
    ----------
    files : iterable of str
        Paths of everything that the run makes, relative to the page.
    reports : mapping of str to str
        The reports of datasets, in Markdown, by dataset.
    cards : DataFrame, optional
        The table `scorecards`, for the headline of each card.
    availability : DataFrame, optional
        The table of this name, for the datasets that were left out.

    Raises
    ------
    ValueError
        If there is a figure or a table that nothing describes.
    """
    paths = [PurePosixPath(file) for file in files]
    sections = [
        {"title": "Score cards", "groups": _score_cards(paths, cards)},
        {"title": "Layers of models", "groups": _profiles(paths)},
        {"title": "Explorer", "groups": _explorer(paths)},
        {"title": "Datasets and models", "groups": _datasets(reports)},
        {"title": "Figures", "groups": _figures(paths)},
        {"title": "Tables", "groups": _tables(paths)},
        {"title": "Left out", "groups": _left_out(availability)},
    ]
    shown = [section for section in sections if section["groups"]]
    for section in shown:
        section["id"] = str(section["title"]).lower().replace(" ", "-")
    return _TEMPLATE.render(style=_STYLE, sections=shown, summary=_summary(shown))


def _summary(sections: Iterable[Mapping[str, Any]]) -> str:
    counts = {
        section["title"]: sum(len(group["lines"]) for group in section["groups"])
        for section in sections
    }
    nouns = {
        "Score cards": "score card",
        "Datasets and models": "dataset or model",
        "Figures": "figure",
        "Tables": "table",
    }
    plurals = {"dataset or model": "datasets and models"}
    said = [
        f"{counts[title]} {noun if counts[title] == 1 else plurals.get(noun, noun + 's')}"
        for title, noun in nouns.items()
        if title in counts
    ]
    return f"{', '.join(said)}."


def _score_cards(paths: Sequence[PurePosixPath], cards: pd.DataFrame | None) -> list[Group]:
    known = set(paths)
    groups: dict[str, Group] = {}
    for path in dict.fromkeys(paths):
        if path.parts[0] != "scorecards" or path.suffix != ".html":
            continue
        dataset, model = path.parent.name, path.stem
        ladder = PurePosixPath(f"figures/ladder/{dataset}.png")
        picture = _href(ladder) if ladder in known else ""
        group = groups.setdefault(dataset, {"title": dataset, "picture": picture, "lines": []})
        said = ""
        if cards is not None:
            of_card = cards[(cards.dataset == dataset) & (cards.model == model)]
            said = headline(of_card, model, dataset).removeprefix(f"{model} ")
        line = _line(model, path, said, [path.with_suffix(".csv")])
        group["lines"].append({**line, "colon": ""})
    return list(groups.values())


def _profiles(paths: Iterable[PurePosixPath]) -> list[Group]:
    groups: dict[str, list[Line]] = {}
    for path in paths:
        if path.parts[0] == "profiles" and path.suffix == ".html":
            said = "scores of all layers by every measure"
            others = [path.with_suffix(ending) for ending in (".pdf", ".png", ".csv")]
            groups.setdefault(path.parent.name, []).append(_line(path.stem, path, said, others))
    return [_group(lines, title) for title, lines in groups.items()]


def _explorer(paths: Iterable[PurePosixPath]) -> list[Group]:
    said = (
        "choose a dataset, a measure and a score; see what is captured, what can be decoded, which "
        "scores of other measures are possible, and where the models are"
    )
    lines = [_line("explorer", path, said) for path in paths if path.name == "explorer.html"]
    return [_group(lines)] if lines else []


def _datasets(reports: Mapping[str, str]) -> list[Group]:
    lines = [
        _line(name, PurePosixPath(f"data/{name}.md"), _facts(text))
        for name, text in reports.items()
    ]
    return [_group(lines)] if lines else []


def _facts(report: str) -> str:
    """Return the size of a dataset from its report, in one line."""
    rows = dict(re.findall(r"(?m)^\| ([^|]+) \| (.+) \|$", report))
    facts = [rows["axes"]] if "axes" in rows else []
    if rows.get("unit", "1") != "1":
        facts.append(f"in {rows['unit']}")
    if "participation ratio" in rows:
        facts.append(f"participation ratio {rows['participation ratio']}")
    return html.unescape(re.sub(r"\\(.)", r"\1", "; ".join(facts)))


def _figures(paths: Iterable[PurePosixPath]) -> list[Group]:
    groups: dict[str, list[Line]] = {entry.category: [] for entry in FIGURES.values()}
    pdfs = [path for path in paths if path.parts[0] == "figures" and path.suffix == ".pdf"]
    known = set(paths)
    for path in sorted(pdfs, key=lambda path: list(FIGURES).index(_figure_of(path))):
        name = _figure_of(path)
        entry = FIGURES[name]
        others = [path.with_suffix(ending) for ending in (".png", ".gif", ".csv")]
        label = f"{name}, {path.stem}" if entry.by_dataset else name
        groups[entry.category].append(
            _line(label, path, entry.title, [other for other in others if other in known])
        )
    return [_group(lines, title) for title, lines in sorted(groups.items()) if lines]


def _figure_of(path: PurePosixPath) -> str:
    name = path.parts[1] if len(path.parts) > 2 else path.stem
    if name not in FIGURES:
        raise ValueError(f"{path}: expected a figure of figures/registry.py, got {name!r}")
    return name


def _tables(paths: Iterable[PurePosixPath]) -> list[Group]:
    made = {path.stem: path for path in paths if path.parts[0] == "tables"}
    unknown = sorted(set(made) - set(TABLES))
    if unknown:
        raise ValueError(
            f"pages/tables.py: expected a line about every table, found none about {unknown[0]!r}"
        )
    lines = [_line(name, made[name], TABLES[name]) for name in TABLES if name in made]
    return [_group(lines)] if lines else []


def _left_out(availability: pd.DataFrame | None) -> list[Group]:
    if availability is None:
        return []
    rows = availability[(availability.status == "left out") & (availability.reason != NOT_CHOSEN)]
    reasons = rows.drop_duplicates("dataset")[["dataset", "reason"]].astype(str)
    lines = [_line(dataset, None, reason) for dataset, reason in reasons.to_numpy()]
    return [_group(lines)] if lines else []


def _group(lines: list[Line], title: str = "") -> Group:
    return {"title": title, "picture": "", "lines": lines}


def _line(
    name: str, path: PurePosixPath | None, text: str, others: Iterable[PurePosixPath] = ()
) -> Line:
    files = {other.suffix[1:].upper(): _href(other) for other in others}
    return {
        "name": name,
        "href": _href(path) if path else "",
        "text": text,
        "files": files,
        "colon": ":",
    }


def _href(path: PurePosixPath) -> str:
    return quote(str(path))
