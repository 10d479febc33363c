"""The table of measures, the modules that declare them and the settings agree."""

import copy
import pickle
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from helpers.measures import draw
from helpers.workflow import ROOT
from scorebounds.core import measure_table
from scorebounds.core.measure_table import ENTRIES, MeasureEntry
from scorebounds.figures.style import OFF_SCALE
from scorebounds.measures import base, kernels, registry
from scorebounds.measures.pair import Reference
from scorebounds.scorecards.samples import has_fixed_penalty

PARAMETERS = ["ridge_cv_0.5", "ridge_7", "cka_rbf_1.5", "mutual_knn_3", "pls_cv_pearson_2"]
PARAMETERS += ["svcca_0.99", "svcca_r2_0.5"]
WRONG = ["ckaa", "ridge_cv_0", "ridge_0.0", "mutual_knn_0", "pls_cv_pearson_2.5", "cka\n"]
WRONG += ["svcca_0.0", "svcca_1", "svcca_1.0", "svcca_99", "svcca_r2_.5"]


@pytest.mark.parametrize("name", [*registry.names(), *PARAMETERS])
def test_declaration_agrees_with_the_table(name):
    measure = registry.load(name)
    entry = measure_table.entry_of(name)
    assert measure.name == name
    assert measure.label == measure_table.measure_label(name)
    assert (measure.differentiable, measure.symmetric) == (entry.has_gradient, entry.symmetric)
    assert (measure.scale is not None) == entry.off_scale
    assert entry.off_scale == (entry.id in OFF_SCALE)
    assert (entry.square_matrices > 0) == ("memory n²" in measure.cost)
    is_invariant = {base.ORTHOGONAL, base.TRANSLATION} <= measure.invariances
    assert is_invariant == entry.rotation_invariant
    assert has_fixed_penalty(measure) == entry.has_fixed_penalty


@pytest.mark.parametrize("name", [*registry.names(), *PARAMETERS])
def test_a_measure_is_one_object_that_compares_hashes_and_pickles_by_name(name):
    measure = registry.load(name)
    assert registry.load(name) is measure
    assert pickle.loads(pickle.dumps(measure)) is measure
    assert copy.deepcopy(measure) is measure
    other = base.Measure(**{**vars(measure), "label": "another"})
    assert other == measure
    assert hash(other) == hash(measure)
    assert measure != registry.load("cka" if name != "cka" else "nbs")
    with pytest.raises(TypeError, match="was not made by `load`"):
        pickle.dumps(other)


def test_ids_are_distinct_and_aliases_lead_to_one_measure_each():
    names = measure_table.measure_names()
    assert len(set(names)) == len(names)
    aliases = [alias for entry in ENTRIES for alias in entry.aliases]
    assert len(set(aliases)) == len(aliases)
    assert not any(measure_table.find_entry(alias) for alias in aliases)
    for name in names:
        (entry,) = [each for each in ENTRIES if re.fullmatch(each.pattern, name)]
        assert name in entry.names


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("CKA", "cka"),
        ("linear_cka", "cka"),
        ("Linear CKA", "cka"),
        ("rsa", "rsa_correlation_pearson"),
        ("procrustes", "procrustes_angular"),
        ("ridge", "ridge_cv_tuned"),
        ("mutual-knn", "mutual_knn_10"),
        ("cka_rbf", "cka_rbf_0.4"),
    ],
)
def test_alias_loads_its_measure(alias, name):
    assert registry.load(alias) is registry.load(name)


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("procrustes_angulr", "'procrustes_angular'"),
        ("rbf", "'cka_rbf_0.4'"),
        ("svcca_1", "'svcca_0.9'"),
        ("ridge_cv_0", "'ridge_cv_100'"),
        ("cka_unbaised", "'cka_debiased'"),
        ("rsa_euclidian", "'rsa_euclidean_cosine'"),
    ],
)
def test_message_for_an_unknown_name_suggests_near_ids_and_lists_all(wrong, meant):
    with pytest.raises(ValueError) as error:
        registry.load(wrong)
    said = str(error.value)
    assert said.startswith(f"unknown measure {wrong!r} (did you mean ")
    assert meant in said
    assert said.endswith(", ".join(entry.id for entry in ENTRIES))


def test_settings_accept_exactly_the_ids_of_the_table():
    every = re.compile(measure_table.id_pattern())
    optimized = re.compile(measure_table.id_pattern(with_gradient=True))
    for name in [*registry.names(), *PARAMETERS]:
        assert every.fullmatch(name)
        assert bool(optimized.fullmatch(name)) == registry.load(name).differentiable
    for wrong in WRONG:
        assert not every.fullmatch(wrong)
        assert not Draft202012Validator({"pattern": measure_table.id_pattern()}).is_valid(wrong)
        with pytest.raises(ValueError, match="unknown measure"):
            measure_table.entry_of(wrong)
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    assert set(config["measures"]) <= set(registry.names())


def test_table_is_read_by_its_path_without_any_package():
    """Snakefiles do so, in an environment that may have neither NumPy nor torch."""
    path = ROOT / "workflow/scripts/scorebounds/core/measure_table.py"
    program = f"""
import importlib.util
import sys
sys.path = [p for p in sys.path if "site-packages" not in p]
spec = importlib.util.spec_from_file_location("measure_table", {str(path)!r})
table = importlib.util.module_from_spec(spec)
spec.loader.exec_module(table)
print(table.entry_of("cka").module, [e.id for e in table.ENTRIES if e.few_coordinates])
"""
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split(" ", 1) == [
        "kernels",
        "['cka', 'cka_angular', 'nbs', 'procrustes_angular', 'linreg']\n",
    ]


def test_names_need_no_torch_and_a_measure_needs_its_module_only():
    program = """
import sys
from scorebounds import measures
print(len(measures.names()), "torch" in sys.modules)
measures.load("nbs")
print(*sorted(name for name in sys.modules if name.startswith("scorebounds.measures.")))
"""
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    first, loaded = ran.stdout.splitlines()
    assert first == f"{len(registry.names())} False"
    assert "scorebounds.measures.shapes" in loaded.split()
    others = {f"scorebounds.measures.{entry.module}" for entry in ENTRIES} - {
        "scorebounds.measures.shapes"
    }
    assert not others & set(loaded.split())


def test_modules_declare_exactly_the_measures_and_families_of_the_table():
    # `declare` refuses a measure without an entry when its module is imported.
    declared = {}
    for path in sorted(Path(base.__file__).parent.glob("[a-z]*.py")):
        for value in vars(import_module(f"scorebounds.measures.{path.stem}")).values():
            if isinstance(value, base.Measure):
                declared[value.name] = path.stem
            elif isinstance(value, registry.Family):
                declared[value.id] = path.stem
    assert declared == {entry.id: entry.module for entry in ENTRIES}, (
        "core/measure_table.py: expected an entry with its module for each declared measure"
    )


def test_each_forgotten_step_is_named(monkeypatch):
    definition = {"compare": kernels.linear_cka, "reference": "", "formula": "", "blind_to": ""}
    with pytest.raises(ValueError, match="'cka_new' is declared, but not in the table of measures"):
        registry.declare("cka_new", cost="", **definition)
    undeclared = MeasureEntry(id="cka_new", label="new CKA", module="kernels")
    unwritten = MeasureEntry(id="cka_newer", label="newer CKA", module="newer")
    unscaled = MeasureEntry(id="cka_raw", label="raw CKA", module="kernels", off_scale=True)
    monkeypatch.setattr(measure_table, "ENTRIES", (*ENTRIES, undeclared, unwritten, unscaled))
    with pytest.raises(ValueError, match=r"declared in measures/kernels\.py, but it is not"):
        registry.load("cka_new")
    with pytest.raises(ValueError, match=r"measures/newer\.py, which does not exist: create it"):
        registry.load("cka_newer")
    with pytest.raises(ValueError, match="expected a `scale` exactly if"):
        registry.declare("cka_raw", cost="", **definition)


def test_a_reference_computes_once_per_function_and_parameter():
    calls = []

    def work(reference, power):
        calls.append(power)
        return reference.x**power

    reference = Reference(draw(6, 2))
    assert reference.once(work, 2) is reference.once(work, 2)
    assert reference.once(work, 3) is not reference.once(work, 2)
    assert calls == [2, 3]
