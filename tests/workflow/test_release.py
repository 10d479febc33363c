"""A tag is released only if all files have its version and date."""

import importlib.util
import shutil

import pytest

from helpers.workflow import ROOT

FILES = ("workflow/scripts/scorebounds/core/version.py", "CITATION.cff", "CHANGELOG.md")
HEADING = "## [9.8.7] - 2031-02-03"


@pytest.fixture(scope="module")
def release():
    spec = importlib.util.spec_from_file_location("release", ROOT / ".github/release.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(tmp_path):
    """Copy what a release changes, and change it as CONTRIBUTING.md says."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tmp_path / name)
    citation = (tmp_path / "CITATION.cff").read_text().splitlines()
    known = {"version": "9.8.7", "date-released": "2031-02-03"}
    lines = [
        f"{key}: {known[key]}" if (key := line.partition(":")[0]) in known else line
        for line in citation
    ]
    (tmp_path / "CITATION.cff").write_text("\n".join(lines))
    (tmp_path / FILES[0]).write_text('__version__ = "9.8.7"\n')
    changes = (tmp_path / "CHANGELOG.md").read_text().replace("## Unreleased", HEADING)
    (tmp_path / "CHANGELOG.md").write_text(changes)
    return tmp_path


def test_notes_are_the_section_of_the_changelog(release, project):
    path = project / "CHANGELOG.md"
    path.write_text(f"# Changelog\n\n{HEADING}\n\nNew.\n\n## [9.8.6] - 2031-01-01\n\nOld.\n")
    assert release.notes("v9.8.7", root=project) == "New."


@pytest.mark.parametrize(
    ("name", "before", "after", "sentence"),
    [
        (FILES[0], "9.8.7", "9.8.6", "core/version.py: expected the version 9.8.7"),
        ("CHANGELOG.md", HEADING, "## Unreleased", "CHANGELOG.md: expected a heading"),
        ("CITATION.cff", "version: 9.8.7", "version: 9.8.6", "expected the line `version: 9.8.7`"),
        ("CITATION.cff", "2031-02-03", "2031-02-04", "expected the line `date-released: 2031-02-0"),
    ],
)
def test_a_file_with_another_version_or_date_is_refused(
    release, project, name, before, after, sentence
):
    path = project / name
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    with pytest.raises(ValueError, match="expected") as error:
        release.notes("v9.8.7", root=project)
    assert sentence in str(error.value)


def test_a_repository_of_another_address_is_refused(release, project):
    with pytest.raises(ValueError, match="repository-code"):
        release.notes("v9.8.7", "someone/else", root=project)


@pytest.mark.parametrize("tag", ["9.8.7", "v9.8", "latest"])
def test_other_tags_are_refused(release, project, tag):
    with pytest.raises(ValueError, match=r"expected a tag such as v0\.3\.0"):
        release.notes(tag, root=project)
