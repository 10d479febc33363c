"""The generated parts of docs/ are those that the code would make now."""

import importlib.util
import re
import shlex
from urllib.parse import unquote

import pandas as pd
import pytest
from snakemake.cli import get_argument_parser

from helpers.workflow import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "config/README.md"]
PAGES += sorted((ROOT / "docs").rglob("*.md"))


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_measures_page_is_that_of_the_registry(generate):
    page = (ROOT / "docs/measures.md").read_text()
    assert generate.with_registry(page) == page, "run `make docs`"


@pytest.mark.filterwarnings("ignore::scorebounds.measures.base.SaturatedScoreWarning")
def test_agreement_table_is_that_of_today(generate, reference_values):
    stored = pd.read_csv(ROOT / "docs/measures_agreement.csv").set_index(["measure", "input"])
    today = generate.agreement_table(reference_values).set_index(["measure", "input"])
    assert list(stored.index) == list(today.index)
    assert stored.ours.to_numpy() == pytest.approx(today.ours.to_numpy(), rel=1e-10)
    assert (today.relative_difference < 1e-8).all()
    assert not (today.single_precision_difference > 1e-4).any()


def anchors(path):
    """List the places in a page that a link can name, as GitHub and the site write them."""
    titles = re.findall(r"(?m)^#+ (.+)$", path.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_within_the_repository_leads_somewhere(page):
    text = re.sub(r"(?s)```.*?```", "", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = unquote(target).partition("#")
        if re.match(r"https?:|mailto:", path):
            continue
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(file), f"{page.name}: {target}"


def test_every_page_is_in_the_navigation_of_the_site():
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    blocks = re.findall(r"(?s)```{toctree}\n(.*?)```", index)
    listed = [line for block in blocks for line in block.split() if not line.startswith(":")]
    pages = [path for path in (ROOT / "docs").rglob("*") if path.suffix in (".md", ".ipynb")]
    names = {path.relative_to(ROOT / "docs").with_suffix("").as_posix() for path in pages}
    assert names - {"index"} <= set(listed)


def snakemake_commands():
    """List the commands of Snakemake in the pages and in the files of settings."""
    files = [*PAGES, *(ROOT / "config").glob("*.yaml"), ROOT / "config.yaml"]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files).replace("\\\n", " ")
    in_blocks = re.findall(r"(?m)^[#$ ]*(?:\.venv/bin/)?(snakemake -.*)$", text)
    return list(
        dict.fromkeys(in_blocks + re.findall(r"`(?:\.venv/bin/)?(snakemake -[^`]*)`", text))
    )


@pytest.mark.parametrize("command", snakemake_commands())
def test_commands_of_snakemake_name_their_targets_and_files_apart(command):
    """A target after `--configfile` would be read as another file."""
    parser = get_argument_parser()
    words = shlex.split(re.split(r" [>|&] ", command)[0].replace(" N ", " 1 "), comments=True)
    given = parser.parse_args(words[1:])
    files = [ROOT / path for path in given.configfile or []]
    assert all(file.is_file() or file.name in ("mine.yaml", "FILE") for file in files)
    for target in given.targets:
        assert re.fullmatch(r"[\w/<>.-]+", target), target


def test_commands_are_found():
    assert any("figure_layers --configfile" in command for command in snakemake_commands())
