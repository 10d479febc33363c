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
    return set(re.findall(r"^rule (\w+):", text, flags=re.M))


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
