"""Digests of code change with the code that a script runs, and with nothing else."""

import os
import shutil
import subprocess
import sys

import pytest
from code_digest import CodeDigests

from helpers.workflow import ROOT

FILES = {
    "draw.py": '"""Draw."""\nfrom scorebounds.figures import bars\n\nbars.draw()\n',
    "score.py": "from scorebounds.measures.registry import load\n\nprint(load('a'))\n",
    "whole.py": "from scorebounds import draw\n",
    "scorebounds/__init__.py": '"""The library."""\nfrom scorebounds.core import unused\n',
    "scorebounds/core/__init__.py": "",
    "scorebounds/core/unused.py": "x = 1\n",
    "scorebounds/core/joblog.py": "level = 1\n",
    "scorebounds/core/style.py": 'def use():\n    """Use it."""\n    return {"size": 7}\n',
    "scorebounds/figures/__init__.py": '"""Figures."""\n',
    "scorebounds/figures/bars.py": (
        "from typing import TYPE_CHECKING\n"
        "from scorebounds.core import joblog\n"
        "if TYPE_CHECKING:\n    from scorebounds.figures import lines\n"
        "def draw():\n    from scorebounds.core.style import use\n    return use(), 'page.html'\n"
    ),
    "scorebounds/figures/lines.py": "y = 2\n",
    "scorebounds/figures/page.html": "<p>page</p>",
    "scorebounds/figures/other.html": "<p>other</p>",
    "scorebounds/measures/__init__.py": "",
    "scorebounds/measures/registry.py": (
        "from scorebounds.measures import a, b\n\n"
        "def load(name):\n    return {'a': a, 'b': b}[name]\n"
    ),
    "scorebounds/measures/a.py": "from scorebounds.measures import base\n",
    "scorebounds/measures/b.py": "",
    "scorebounds/measures/base.py": "",
}
CHOSEN_BY_NAME = {
    "scorebounds.measures.registry": frozenset({"scorebounds.measures.a", "scorebounds.measures.b"})
}
MEASURE = "scorebounds.measures.a"


@pytest.fixture
def scripts(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def digest(scripts, script="draw", *chosen):
    return CodeDigests(scripts, CHOSEN_BY_NAME).digest(script, *chosen)


def files(scripts, script, *chosen):
    found = CodeDigests(scripts, CHOSEN_BY_NAME).files(script, *chosen)
    return [path.relative_to(scripts).as_posix() for path in found]


def test_digest_of_a_script_covers_the_modules_that_it_imports(scripts):
    assert files(scripts, "draw") == [
        "draw.py",
        "scorebounds/core/__init__.py",
        "scorebounds/core/style.py",
        "scorebounds/figures/__init__.py",
        "scorebounds/figures/bars.py",
        "scorebounds/figures/page.html",
    ]


def test_modules_that_are_loaded_by_name_count_where_they_are_chosen(scripts):
    none, one = files(scripts, "score"), files(scripts, "score", MEASURE)
    assert "scorebounds/measures/registry.py" in none
    assert set(one) - set(none) == {"scorebounds/measures/a.py", "scorebounds/measures/base.py"}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("draw.py", lambda text: f"# a comment\n\n{text}  # at the end\n"),
        ("draw.py", lambda text: text.replace("Draw.", "Draw a figure.\n\nFrom a table.\n")),
        ("scorebounds/core/style.py", lambda text: text.replace("Use it.", "Use the style.")),
        ("scorebounds/core/style.py", lambda text: text.replace('"size"', "'size'")),
        ("scorebounds/figures/lines.py", lambda text: text + "z = 3\n"),
        ("scorebounds/figures/other.html", lambda text: text + "more"),
        ("scorebounds/core/joblog.py", lambda text: text + "level = 2\n"),
        ("scorebounds/__init__.py", lambda text: text + "__version__ = '2'\n"),
    ],
)
def test_a_change_that_cannot_change_results_keeps_the_digest(scripts, name, change):
    before = digest(scripts)
    (scripts / name).write_text(change((scripts / name).read_text()))
    assert digest(scripts) == before


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("draw.py", lambda text: text + "bars.draw()\n"),
        ("scorebounds/core/style.py", lambda text: text.replace("7", "8")),
        ("scorebounds/core/style.py", lambda text: text.replace("7", "7.0")),
        ("scorebounds/core/__init__.py", lambda text: text + "x = 1\n"),
        ("scorebounds/figures/bars.py", lambda text: text.replace("page.html", "other.html")),
        ("scorebounds/figures/page.html", lambda text: text + "more"),
    ],
)
def test_a_change_of_code_changes_the_digest(scripts, name, change):
    before = digest(scripts)
    (scripts / name).write_text(change((scripts / name).read_text()))
    assert digest(scripts) != before


def test_text_that_replaces_a_module_is_digested_instead_of_it(scripts):
    def digest_with(entry):
        table = {"scorebounds.core.style": entry}
        return CodeDigests(scripts, {}).digest("draw", replaced=table)

    before = digest_with("size 7")
    (scripts / "scorebounds/core/style.py").write_text("def use():\n    return 8\n")
    assert digest_with("size 7") == before
    assert digest_with("size 8") != before


def test_place_and_time_of_the_files_do_not_matter(scripts, tmp_path_factory):
    other = shutil.copytree(scripts, tmp_path_factory.mktemp("other") / "with space")
    for path in other.rglob("*.py"):
        os.utime(path, (1, 1))
    assert digest(other) == digest(scripts)
    assert digest(other, "score", MEASURE) == digest(scripts, "score", MEASURE)


def test_import_that_names_no_module_is_refused(scripts):
    with pytest.raises(
        ValueError, match=r"names a module of scorebounds, found 'scorebounds\.draw'"
    ):
        digest(scripts, "whole")


def test_every_script_of_the_workflow_has_a_digest():
    digests = CodeDigests(ROOT / "workflow/scripts", {})
    names = sorted(path.stem for path in (ROOT / "workflow/scripts").glob("*.py"))
    assert names
    assert len({digests.digest(name) for name in names}) == len(names)


def test_digests_need_the_standard_library_only():
    code = "import sys; sys.path.insert(0, sys.argv[1]); import code_digest; print(*sys.modules)"
    command = [sys.executable, "-I", "-S", "-c", code, str(ROOT / "workflow/rules")]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in ran.stdout.split()}
    assert loaded - set(sys.stdlib_module_names) == {"__main__", "code_digest"}
