"""Names agree, imports go one way, and every rule states its resources and its environment."""

import ast
import csv
import re
from graphlib import TopologicalSorter
from importlib import import_module

import pytest
import yaml

from helpers.rules import RULES, rules_with_scripts
from helpers.workflow import ROOT
from scorebounds.core.published_ids import PUBLISHED_IDS
from scorebounds.datasets.surrogates import PUBLISHED_SAMPLES
from scorebounds.figures.style import measure_looks
from scorebounds.measures import registry
from scorebounds.networks import tasks

LIBRARY = ROOT / "workflow/scripts/scorebounds"
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
CATALOGUE = list(
    csv.DictReader((ROOT / "data/datasets.tsv").read_text().splitlines(), delimiter="\t")
)


@pytest.mark.parametrize("rule", rules_with_scripts())
def test_every_rule_states_log_benchmark_resources_and_environment(rule):
    block = rules_with_scripts()[rule]
    for part in ("log:", "benchmark:", "threads: 1", "mem_mb=", "runtime=", "conda:"):
        assert part in block
    assert f'script:\n        "../scripts/{rule}.py"' in block
    assert f"results/logs/{rule}" in block
    assert f"results/benchmarks/{rule}" in block
    (environment,) = re.findall(r'conda:\s+"../../(envs/\w+\.yaml)"', block)
    assert (ROOT / environment).exists()


def test_every_script_has_its_rule():
    scripts = {path.stem for path in (ROOT / "workflow/scripts").glob("*.py")}
    assert scripts == set(rules_with_scripts())


def modules():
    found = {}
    for path in LIBRARY.rglob("*.py"):
        name = ".".join(path.relative_to(LIBRARY.parent).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = ast.parse(path.read_text())
    return found


def imports(tree, known):
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        yield from (name for name in names if name in known)


def test_no_import_cycle():
    trees = modules()
    graph = {name: set(imports(tree, trees)) - {name} for name, tree in trees.items()}
    order = list(TopologicalSorter(graph).static_order())
    assert set(order) == set(trees)


# From the top of the library to its base: a package imports only from those below it.
PACKAGES = [
    "cli",
    "api",
    "analyses",
    "pages",
    "figures",
    "scorecards",
    "ranges",
    "decoding",
    "optimization",
    "networks",
    "measures",
    "datasets",
    "fetching",
    "core",
]


def test_packages_import_only_from_packages_below():
    trees = modules()
    for name, tree in trees.items():
        package = name.split(".")[1] if "." in name else ""
        for other in imports(tree, trees) if package else ():
            below = other.split(".")[1]
            assert PACKAGES.index(package) <= PACKAGES.index(below), f"{name} imports {other}"


# Heavy packages, and the only packages of the library that may import them.
IMPORTED_BY = {
    "torch": {
        "core",
        "datasets",
        "decoding",
        "measures",
        "networks",
        "optimization",
        "ranges",
        "scorecards",
        "analyses",
    },
    "matplotlib": {"figures"},
    "jinja2": {"core"},
    "altair": {"pages"},
    "vl_convert": {"pages"},
    "typer": {"cli"},
    "requests": {"fetching"},
    "urllib3": {"fetching"},
    "h5py": {"datasets"},
    "snakemake": set(),
}


def without_type_checking(tree):
    """Return the module without the imports that only the type checker sees."""
    visible = [
        node for node in tree.body if ast.unparse(getattr(node, "test", node)) != "TYPE_CHECKING"
    ]
    return ast.Module(visible, [])


def test_heavy_packages_are_imported_by_their_own_packages_only():
    for name, tree in modules().items():
        packages = {
            (node.module if isinstance(node, ast.ImportFrom) else alias.name).split(".")[0]
            for node in ast.walk(without_type_checking(tree))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        for package in packages & set(IMPORTED_BY):
            assert name.split(".")[1] in IMPORTED_BY[package], f"{name} imports {package}"


# Tables of data, an entry per measure or figure, and not code.
TABLES = {"scorebounds.core.measure_table", "scorebounds.figures.registry"}
MOST_LINES, MOST_LINES_OF_A_BODY = 300, 45
WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef)


def n_lines(nodes):
    return nodes[-1].end_lineno - nodes[0].lineno + 1 if nodes else 0


def test_modules_and_functions_are_short_without_their_docstrings():
    for name, tree in modules().items():
        described = [node for node in ast.walk(tree) if isinstance(node, WITH_DOCSTRING)]
        described = [node for node in described if ast.get_docstring(node)]
        docstrings = sum(n_lines(node.body[:1]) for node in described)
        assert name in TABLES or n_lines(tree.body) - docstrings <= MOST_LINES, name
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if node in described else node.body
                assert n_lines(body) <= MOST_LINES_OF_A_BODY, f"{name}: {node.name}"


def test_tests_import_no_tests():
    folder = ROOT / "tests"
    files = {path.stem for path in folder.rglob("test_*.py")}
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [getattr(node, "module", None) or "", *(each.name for each in node.names)]
                parts = {part for name in names for part in name.split(".")}
                assert not parts & files, f"{path} imports a test: put it into tests/helpers"


def test_default_measures_include_those_of_the_published_values():
    assert set(PUBLISHED_IDS) <= set(CONFIG["measures"])


def test_measures_of_a_figure_look_different():
    optimized = [name for name in CONFIG["measures"] if registry.load(name).differentiable]
    looks = measure_looks([*optimized, *(f"ridge_cv_{number}" for number in (1, 10, 1000, 10000))])
    for part in range(3):
        assert len({look[part] for look in looks.values()}) == len(looks)


def test_catalogue_and_loaders_know_the_same_datasets():
    recorded = {row["dataset"] for row in CATALOGUE} - {"cloos2025-published", "cifar10"}
    folder = LIBRARY / "datasets"
    for name in recorded:
        module = import_module(f"scorebounds.datasets.{name.replace('-', '_')}")
        assert callable(module.load)
    made = {path.stem.replace("_", "-") for path in (folder / "made").glob("[a-z]*.py")}
    for name in made:
        assert callable(import_module(f"scorebounds.datasets.made.{name.replace('-', '_')}").make)
    tests = "".join(path.read_text() for path in (ROOT / "tests/unit").glob("*.py"))
    for name in recorded | made:
        assert f'"{name}"' in tests, f"write a test of the loader of {name!r} in tests/unit"
    published = {
        row["file"].split("/")[0] for row in CATALOGUE if row["dataset"] == "cloos2025-published"
    }
    assert published == set(PUBLISHED_SAMPLES)
    everything = {*made, *recorded, *(f"surrogate-{name}" for name in published)}
    assert set(CONFIG["datasets"]) <= everything


def test_workflow_and_library_know_the_same_task_networks():
    (listed,) = re.findall(r"(?m)^TASKS = (\[.*\])$", RULES)
    assert tuple(ast.literal_eval(listed)) == tasks.TASKS
    for name in tasks.TASKS:
        assert (
            tasks.load(name, evidence_noise=0.0).step_ms <= CONFIG["task-networks"]["time_constant"]
        )


def test_catalogue_is_that_of_the_mirror(mirror):
    keys = [(row["dataset"], row["file"]) for row in CATALOGUE]
    assert len(set(keys)) == len(keys)
    folders = {path.name for path in mirror.iterdir() if path.is_dir()}
    assert folders >= {
        "mante2013-subset",
        "hatsopoulos2007-averages",
        "zhang2011",
        "dyer2017",
        "cloos2025-published",
    }
    missing = {
        (folder, file.split("/")[0])
        for folder, file in keys
        if folder in folders and not (mirror / folder / file).is_file()
    }
    assert missing == {
        ("cloos2025-published", "Mante2013"),
        ("cloos2025-published", "siegel15-FEF-stim_period-var99"),
    }
    for row in CATALOGUE:
        path = mirror / row["dataset"] / row["file"]
        if path.is_file():
            assert path.stat().st_size == int(row["bytes"])
