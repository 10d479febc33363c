"""Requirements, environments, images and pages name the same packages in the same versions."""

import ast
import re
import sys

import pytest
import yaml

from helpers.workflow import PARTS, ROOT

SCRIPTS = ROOT / "workflow/scripts"
ENVIRONMENTS = sorted((ROOT / "envs").glob("*.yaml"))
# Where conda-forge, the package index and Python call the same thing by different names.
INDEX_NAMES = {"pytorch": "torch", "matplotlib-base": "matplotlib", "pot": "POT"}
MODULES = {**INDEX_NAMES, "pot": "ot", "scikit-learn": "sklearn", "vl-convert-python": "vl_convert"}
# xarray reads netCDF with it, and it reads HDF5 with the other; neither is imported by name.
ENGINE = {"h5netcdf", "h5py"}
# These find modules of the library by name.
BY_NAME = {
    "prepare_dataset": sorted((SCRIPTS / "scorebounds/datasets").rglob("*.py")),
    "plot_figure": sorted((SCRIPTS / "scorebounds/figures").rglob("*.py")),
}
# It imports the other modules of its package by name.
MEASURE_REGISTRY = SCRIPTS / "scorebounds/measures/registry.py"


def pins(path):
    return dict(re.findall(r"(?m)^(?:  - )?([A-Za-z][\w.-]*?)={1,2}([\w.]+)$", path.read_text()))


def environment_pins(path):
    pinned = pins(path)
    pinned.pop("python")
    return pinned


def scripts_by_environment():
    rules = "\n".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    found = {}
    for block in re.split(r"(?m)^rule ", rules)[1:]:
        for name in re.findall(r'conda:\s+"../../envs/(\w+)\.yaml"', block):
            found.setdefault(name, set()).add(block.split(":", 1)[0])
    return found


def imported_names(path):
    """List what a file imports, but for what only the type checker sees."""
    pending, names = [ast.parse(path.read_text())], set()
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        pending += ast.iter_child_nodes(node)
    return names


def library_files(name):
    """List the files of the library that are read when one of its modules is imported."""
    parts = name.split(".")
    places = [SCRIPTS.joinpath(*parts[: depth + 1]) for depth in range(len(parts))]
    files = [file for place in places for file in (place / "__init__.py", place.with_suffix(".py"))]
    return [file for file in files if file.is_file()]


def packages_behind(script):
    """List the packages that a script needs, directly and through the library."""
    pending, seen, packages = [SCRIPTS / f"{script}.py", *BY_NAME.get(script, [])], set(), set()
    while pending:
        file = pending.pop()
        seen.add(file)
        if file == MEASURE_REGISTRY:
            pending += [found for found in sorted(file.parent.glob("*.py")) if found not in seen]
        for name in imported_names(file):
            if name.startswith("scorebounds"):
                pending += [found for found in library_files(name) if found not in seen]
            else:
                packages.add(name.partition(".")[0])
    return packages - set(sys.stdlib_module_names)


@pytest.mark.parametrize("name", [path.stem for path in ENVIRONMENTS])
def test_environment_has_what_its_scripts_import_and_no_more(name):
    pinned = environment_pins(ROOT / f"envs/{name}.yaml")
    scripts = scripts_by_environment()[name]
    needed = set().union(*map(packages_behind, scripts))
    available = {MODULES.get(package, package) for package in pinned}
    assert needed <= available
    assert available - needed <= ENGINE


def test_every_environment_is_of_some_rule():
    assert set(scripts_by_environment()) == {path.stem for path in ENVIRONMENTS}


def test_environments_pin_what_the_requirements_pin():
    wanted = pins(ROOT / "requirements.txt")
    constraints = {
        name.lower(): version for name, version in pins(ROOT / "constraints.txt").items()
    }
    # Formats that not everybody has are tested, and read in the environment of the data.
    everything = {**wanted, **pins(ROOT / "requirements-dev.txt")}
    for name, version in everything.items():
        assert constraints[name.lower()] == version
    somewhere = set()
    for path in ENVIRONMENTS:
        environment = yaml.safe_load(path.read_text())
        assert environment["channels"] == ["conda-forge", "nodefaults"]
        assert len(pins(path)) == len(environment["dependencies"]), path
        for name, version in environment_pins(path).items():
            name = INDEX_NAMES.get(name, name)
            assert everything[name] == version, path
            somewhere.add(name)
    # Snakemake, its reports and the command line need these; no script imports them.
    assert set(wanted) - somewhere == {"snakemake", "pygments", "typer"}


def test_page_of_dependencies_names_what_the_requirements_name():
    page = (ROOT / "docs/dependencies.md").read_text()
    rows = re.findall(r"(?m)^\| ([^|]+) \| [^|]+ \| [^|]+ \|$", page)
    named = {name.lower() for row in rows for name in row.split(", ")} - {"package"}
    packages = {name.lower() for name in pins(ROOT / "requirements.txt")}
    titles = {"pytorch": "torch", "jinja": "jinja2"}
    assert {titles.get(name, name) for name in named} == packages
    rows = re.findall(r"(?m)^\| (`[^|]+`) \| [^|]+ \|$", page)
    named = [name.strip("`") for row in rows for name in row.split(", ")]
    assert sorted(named) == sorted(pins(ROOT / "requirements-dev.txt"))


def test_page_of_environments_is_that_of_the_rules():
    page = (ROOT / "docs/environments.md").read_text()
    rows = re.findall(r"(?m)^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", page)
    listed = {
        name: (set(rules.split(", ")), packages.split(", ")) for name, rules, packages in rows
    }
    scripts = scripts_by_environment()
    assert listed == {
        path.stem: ({f"`{rule}`" for rule in scripts[path.stem]}, list(environment_pins(path)))
        for path in ENVIRONMENTS
    }


def copied(text):
    """List the (source, place) pairs of a Dockerfile's COPY lines."""
    lines = [line.split()[1:] for line in text.splitlines() if line.startswith("COPY ")]
    return {
        source: place + source.rpartition("/")[2] if place.endswith("/") else place
        for *sources, place in lines
        for source in sources
    }


def test_images_install_the_requirements_and_hold_the_workflow():
    docker, apptainer = ((ROOT / name).read_text() for name in ("Dockerfile", "apptainer.def"))
    (base,) = re.findall(r"(?m)^FROM (\S+)$", docker)
    assert re.findall(r"(?m)^From: (\S+)$", apptainer) == [base]
    (python,) = {pins(path)["python"] for path in ENVIRONMENTS}
    assert base.startswith(f"python:{python}-slim-")
    files = copied(docker)
    (section,) = re.findall(r"(?s)%files\n(.*?)\n\n", apptainer)
    assert dict(line.split() for line in section.splitlines()) == files
    assert set(files) >= {*PARTS, "requirements.txt", "constraints.txt"}
    for source, place in files.items():
        assert (ROOT / source).exists()
        assert place == f"/scorebounds/{source}"
    included = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line[0] == "!"}
    assert included == set(files)
    (install,) = re.findall(r"(?m)^RUN (.*)$", docker)
    assert re.findall(r"%post\n    (.*)\n", apptainer) == [install]
    pinned = "-r /scorebounds/requirements.txt -c /scorebounds/constraints.txt"
    assert install == f"pip install --no-cache-dir {pinned}"
    started = " ".join(yaml.safe_load(re.findall(r"(?m)^ENTRYPOINT (.*)$", docker)[0]))
    assert re.findall(r'%runscript\n    exec (.*) "\$@"\n', apptainer) == [started]


def test_the_catalogues_standard_check_finds_the_required_files():
    settings = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())
    assert set(settings) == {"usage"}
    assert settings["usage"]["software-stack-deployment"] == {
        "conda": True,
        "apptainer": False,
        "apptainer+conda": False,
    }
    assert settings["usage"]["report"] is True
    page = (ROOT / "README.md").read_text().lower()
    assert "snakemake" in page
    assert "workflow" in page
    assert (ROOT / "workflow/Snakefile").is_file()
    assert (ROOT / "config/README.md").is_file()
    sections = yaml.safe_load((ROOT / "config.yaml").read_text())
    text = (ROOT / "config/README.md").read_text()
    assert [name for name in sections if f"`{name}`" not in text] == []
