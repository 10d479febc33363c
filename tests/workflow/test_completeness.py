"""The page of what the papers contain names rules, figures and pages that exist."""

import re

import pytest

from helpers.workflow import ROOT
from scorebounds.figures.registry import FIGURES

PAGE = ROOT / "docs/completeness.md"
ANSWERS = {"yes", "partly", "no"}


def rows():
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    return [row for row in cells if row[0] != "item" and not set(row[0]) <= {"-"}]


def rules():
    text = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "workflow/rules").glob("*.smk")
    )
    return set(re.findall(r"^ *(?:use rule \w+ as|rule) (\w+)(?: with)?:", text, flags=re.M))


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_each_item_has_an_answer_and_names_what_exists(row):
    _, answer, made_by, difference = row
    assert answer in ANSWERS
    figures = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"\((`[^)]*)\)", made_by))))
    named = set(re.findall(r"`(\w+)`", made_by)) - figures
    assert named <= rules()
    assert figures <= set(FIGURES)
    if answer == "no":
        assert made_by == "–"
        assert difference
    else:
        assert named or "](" in made_by
    if answer == "partly":
        assert difference


def test_links_and_files_of_the_page_exist():
    text = PAGE.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)\)", text)
    files = re.findall(r"`((?:config|workflow)/[\w./]+)`", text)
    assert len(links) >= 8
    assert files
    for path in [PAGE.parent / link for link in links] + [ROOT / file for file in files]:
        assert path.is_file(), path


def numbers_in(section):
    """Return the numbers of the figures and tables that the items of a section name."""
    text = PAGE.read_text(encoding="utf-8").split("\n## ")
    (part,) = (each for each in text if each.startswith(section))
    found = set()
    for line in part.splitlines():
        item = line.strip("|").split("|")[0]
        for kind, listed in re.findall(r"(figure|table)s? ((?:[A-Z]?\.?\d+(?:, | and )?)+)", item):
            found |= {(kind, number) for number in re.findall(r"[A-Z]?\.?\d+", listed)}
    return found


def test_each_figure_and_table_of_the_papers_has_a_row():
    appendix = {("figure", f"F.{n}") for n in (3, 4, 5, 7, 8)} | {("table", "E.1")}
    main = {("figure", str(n)) for n in range(1, 9)} | {("table", "1"), ("table", "2")}
    assert numbers_in("Kornblith") == main | appendix
    assert {("figure", str(n)) for n in (2, 3, 6, 7)} <= numbers_in("Cloos")
