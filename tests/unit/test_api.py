"""The public functions: their contract, the kinds of arrays they take, and their messages."""

import doctest
import inspect
import json
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
import xarray as xr
import yaml

import scorebounds as sb
from helpers.workflow import ROOT
from scorebounds import api
from scorebounds.analyses import ranges, thresholds
from scorebounds.core.random import derived_seed
from scorebounds.core.recording import recording
from scorebounds.core.version import __version__
from scorebounds.measures import registry
from scorebounds.scorecards import inference, methods
from scorebounds.scorecards.matching import match
from scorebounds.scorecards.resampling import ResamplingSettings

SIGNATURES = {
    "score": "(x, y, measure='cka', *, groups=None)",
    "scores": "(x, models, measures=None, *, match='order')",
    "card": "(x, y, measures=None, *, match='order', n_permutations=200, thresholds=None, seed=0)",
    "compare": "(x, models, measures=None)",
    "bounds": "(x, **given)",
    "ranges": "(x, a, b)",
    "thresholds": "(x, measures=None, *, labels=None, n_seeds=5)",
    "read": "(path, **entry)",
    "activations": "(model, inputs, *, layers=None, names=None)",
}


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.fixture(scope="module")
def pair():
    x = draw(40, 6)
    return x, x + draw(40, 6, seed=1)


@pytest.fixture(scope="module")
def card(pair):
    return sb.card(*pair, ["cka", "linreg"], n_permutations=39)


@pytest.mark.parametrize("name", SIGNATURES)
def test_function_takes_the_arguments_of_the_contract(name):
    signature = inspect.signature(getattr(sb, name))
    plain = signature.replace(
        parameters=[p.replace(annotation=p.empty) for p in signature.parameters.values()],
        return_annotation=signature.empty,
    )
    contract = SIGNATURES[name].rstrip(")")
    # Further arguments may follow, keyword-only and with a default.
    assert str(plain).startswith(contract)
    extra = str(plain).removeprefix(contract)
    assert extra == ")" or "*" in contract + extra


def test_examples_in_docstrings_give_what_they_show():
    finder = doctest.DocTestFinder(recurse=True)
    examples = [each for each in finder.find(api, "api", globs={}) if each.examples]
    assert {each.name for each in examples} >= {"api.score", "api.card", "api.bounds"}
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for each in examples:
        assert runner.run(each).failed == 0, each.name


ARRAYS = {
    "list": lambda x: x.tolist(),
    "float32": lambda x: x.astype(np.float32),
    "torch": lambda x: torch.from_numpy(x),
    "torch with gradient": lambda x: torch.from_numpy(x).requires_grad_(),
    "pandas": lambda x: pd.DataFrame(x),
    "pandas with names": lambda x: pd.DataFrame(x, index=[f"image {i}" for i in range(len(x))]),
    "xarray": lambda x: xr.DataArray(x, dims=("sample", "neuron")),
    "xarray transposed": lambda x: xr.DataArray(x.T, dims=("neuroid", "presentation")),
    "xarray of voxels": lambda x: xr.DataArray(x.T, dims=("voxels", "images")),
    "xarray of frames": lambda x: xr.DataArray(x.T, dims=("roi", "frame")),
    "recording": lambda x: recording(x),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_every_kind_of_array_gives_the_same_score(pair, kind):
    x, y = pair
    expected = sb.score(x, y, "procrustes_angular")
    make = ARRAYS[kind]
    assert sb.score(make(x), make(y), "procrustes_angular") == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int32, torch.bool])
@pytest.mark.parametrize("measure", ["cka", "linreg_cv", "hsic", "soft_matching"])
def test_low_precision_and_whole_numbers_are_computed_in_double(dtype, measure):
    values = [torch.from_numpy(8 * draw(40, 6, seed=seed)) for seed in (0, 1)]
    x, y = ((side > 0) if dtype == torch.bool else side.to(dtype) for side in values)
    expected = registry.load(measure).score(x.double(), y.double()).item()
    assert sb.score(x, y, measure) == pytest.approx(expected, rel=1e-12)


def test_three_axes_are_times_conditions_and_neurons():
    x = draw(4, 12, 5)
    y = x + draw(4, 12, 5, seed=1)
    flat = sb.score(x.reshape(48, 5), y.reshape(48, 5))
    assert sb.score(x, y) == pytest.approx(flat)
    axes = xr.DataArray(x.transpose(1, 2, 0), dims=("condition", "neuron", "time"))
    assert sb.score(axes, y) == pytest.approx(flat)


@pytest.mark.parametrize(
    "make",
    [
        lambda x: pd.DataFrame(x).astype("Int64"),
        lambda x: torch.from_numpy(x).to_sparse(),
    ],
)
def test_nullable_columns_and_sparse_tensors_are_numbers(make):
    x = np.random.default_rng(5).integers(0, 9, size=(40, 6))
    assert sb.score(make(x), x) == pytest.approx(1)
    missing = pd.DataFrame(x).astype("Int64").mask(np.eye(40, 6) > 0)
    with pytest.raises(ValueError, match="NaN or infinity in x"):
        sb.score(missing, x)


WRONG_ARGUMENTS = {
    "list of models": (lambda x: sb.scores(x, [x, x]), "mapping of names to models"),
    "models to compare": (lambda x: sb.compare(x, [x, x]), "mapping of names to models"),
    "no name": (lambda x: sb.score(x, x, None), "id of a measure"),
    "text as score": (lambda x: sb.bounds(x, cka="0.5"), "a number as the score of cka"),
    "part of a permutation": (lambda x: sb.card(x, x, n_permutations=9.5), "whole number"),
    "text as seed": (lambda x: sb.card(x, x, ["cka"], seed="a"), "whole number"),
    "missing table": (lambda x: sb.card(x, x, thresholds="none.csv"), "none.csv: no such file"),
    "damaged table": (
        lambda x: sb.card(x, x, thresholds=__file__),
        r"test_api\.py: expected a table of thresholds \(CSV in UTF-8 .*; use results/tables/",
    ),
    "number as table": (lambda x: sb.card(x, x, thresholds=3), "a result of sb.thresholds"),
    "one measure twice": (lambda x: sb.ranges(x, "cka", "CKA"), "two different measures"),
    "list of labels": (lambda x: sb.thresholds(x, labels=[1] * 40), "mapping of names to values"),
    "unknown key": (lambda _: sb.read("a.npy", axis=1), "did you mean 'axes'"),
    "dataset": (lambda x: sb.score(xr.Dataset({"a": (("u", "v"), x)}), x), "as a DataArray"),
    "arrays for a measure": (lambda x: sb.measures.load("cka").score(x, x), "scorebounds.score"),
}


@pytest.mark.parametrize("case", WRONG_ARGUMENTS)
def test_a_wrong_argument_is_named_in_one_sentence(pair, case):
    call, message = WRONG_ARGUMENTS[case]
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        call(pair[0])
    assert "\n" not in str(caught.value)


def test_times_of_the_recording_are_averaged_as_the_message_says(pair):
    x, y = np.stack([pair[0]] * 3), pair[1]
    with pytest.raises(ValueError, match="time: average"):
        sb.scores(x, y, ["cka"])
    found = sb.scores(x, y, ["cka"], match={"time": "average"})
    assert found.score.item() == pytest.approx(sb.score(*pair))
    card = sb.card(x, y, ["cka"], match={"time": "average"}, n_permutations=19)
    assert card.facts["match"] == "order"
    assert "averaged over time" in card.table.match_note.iloc[0]


REFUSED = {
    "text": (np.array([["a", "b"]] * 5), "real numbers"),
    "complex": (np.ones((5, 2), complex), "real numbers"),
    "NaN": (np.where(np.eye(40, 6) > 0, np.nan, 1.0), "NaN or infinity in x"),
    "one axis": (np.ones(40), "shape"),
    "too few samples": (np.ones((2, 6)), "at least 3 samples"),
    "no neurons": (np.ones((40, 0)), "one neuron, got shape"),
    "other number of samples": (draw(39, 6), "39"),
    "mask": (np.ma.masked_greater(draw(40, 6), 1), "mask"),
    "unknown dimensions": (xr.DataArray(draw(40, 6), dims=("neuron", "foo")), "rename"),
    "constant": (np.ones((40, 6)), "varies over samples"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_compared_is_refused_in_one_sentence(pair, case):
    x, message = REFUSED[case]
    with pytest.raises(ValueError, match=message) as caught:
        sb.score(x, pair[1])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ({"trial": np.arange(40)}, "trial"),
        ({"Unnamed: 0": np.arange(40.0)}, "Unnamed: 0"),
        ({"stimulus_id": np.arange(40.0)}, "stimulus_id"),
    ],
)
def test_a_column_that_may_identify_rows_is_refused(pair, columns, named):
    table = pd.DataFrame({**columns, **{f"n{i}": pair[0][:, i] for i in range(6)}})
    with pytest.raises(ValueError, match=f"may identify rows .'{named}'.; make them the index"):
        sb.score(table, pair[1])
    index = table.set_index(named)
    assert sb.score(index, pair[1]) == pytest.approx(sb.score(*pair))


@pytest.mark.parametrize(
    "column",
    [
        lambda values: values.astype(object),
        lambda values: values.astype(str),
        lambda values: [None, *values[1:].astype(object)],
        lambda values: ["n/a", *values[1:].astype(str)],
        lambda values: [None] * len(values),
    ],
)
def test_a_column_of_numbers_that_is_stored_as_text_is_refused(pair, column):
    table = pd.DataFrame(pair[0]).add_prefix("n")
    table["n2"] = pd.Series(column(pair[0][:, 2]), dtype=object)
    with pytest.raises(ValueError, match=r"1 of type object .* .'n2'.; convert a neuron with"):
        sb.score(table, pair[1])
    label = table.assign(n2=table.n2.fillna("none").astype("category"))
    assert sb.score(label, pair[1]) == pytest.approx(sb.score(np.delete(pair[0], 2, 1), pair[1]))


def test_numbers_of_type_object_can_be_converted_as_the_message_says(pair):
    table = pd.DataFrame(pair[0]).astype({2: object})
    converted = table.assign(**{"2": pd.to_numeric(table[2])}).drop(columns=2)
    assert sb.score(converted, pair[1]) == pytest.approx(sb.score(*pair))


def test_a_column_of_text_is_a_label(pair):
    x, y = (pd.DataFrame(side).assign(image=[f"i{n}" for n in range(40)]) for side in pair)
    expected = sb.score(*pair)
    assert sb.score(x, y) == pytest.approx(expected)
    found = sb.scores(x, y.sample(frac=1, random_state=0), ["cka"], match=["image"])
    assert found.score.item() == pytest.approx(expected)


def test_rows_of_equal_names_in_another_order_need_match(pair):
    names = [f"image {number}" for number in range(40)]
    x, y = (pd.DataFrame(side, index=names) for side in pair)
    expected = sb.score(*pair)
    shuffled = y.sample(frac=1, random_state=0)
    for call in (sb.score, sb.card, lambda *sides: sb.scores(*sides, ["cka"])):
        with pytest.raises(ValueError, match="match="):
            call(x, shuffled)
    assert sb.scores(x, shuffled, ["cka"], match="names").score.item() == pytest.approx(expected)
    assert sb.score(x, shuffled, match="names") == pytest.approx(expected)
    models = {"shuffled": shuffled, "part": shuffled.iloc[:, :2]}
    compared = sb.compare(x, models, ["cka"], match="names").table
    assert compared.score.item() == pytest.approx(expected)


def test_groups_hold_out_whole_conditions():
    # 8 images, each repeated 15 times, and a model of other images: no relation.
    rows = np.tile(np.arange(8), 15)
    x = draw(8, 5)[rows] + 0.1 * draw(120, 5, seed=2)
    y = draw(8, 5, seed=1)[rows]
    apart = sb.score(x, y, "linreg_cv", groups=[f"image {row}" for row in rows])
    # Rows that are said to be conditions are held out one by one.
    named = xr.DataArray(x, dims=("condition", "neuron"))
    assert sb.score(named, y, "linreg_cv") > 0.3
    assert apart < 0.1
    assert sb.score(x, y, "linreg_cv") == pytest.approx(apart)
    assert sb.score(x, y, "cka", groups=rows) == sb.score(x, y, "cka")
    with pytest.raises(ValueError, match="each of the 120 rows"):
        sb.score(x, y, "linreg_cv", groups=rows[:5])


def test_table_of_scores_has_the_columns_of_the_contract(pair):
    x, y = pair
    models = {"copy": x, "noisy": y, "constant": torch.from_numpy(y * [1, 0, 0, 0, 0, 0])}
    table = sb.scores(x, models, ["linear_cka", "soft_matching"])
    assert list(table) == ["model", "measure", "score", "note"]
    assert list(table.model) == ["copy"] * 2 + ["noisy"] * 2 + ["constant"] * 2
    assert set(table.measure) == {"cka", "soft_matching"}
    assert table.score.iloc[0] == pytest.approx(1)
    missing = table[table.score.isna()]
    assert list(missing.model) == ["constant"]
    assert missing.note.item()
    assert table.plot().axes


def test_card_is_that_of_the_workflow(card, pair):
    names = ("recording", "model")
    x, y = (
        recording(side).assign_attrs(dataset=name) for side, name in zip(pair, names, strict=True)
    )
    settings = ResamplingSettings(
        n_permutations=39, n_groups=10, seed=derived_seed(0, "scorecards", "recording")
    )
    scores, replicates = inference.score_model(match(x, y), ["cka", "linreg"], settings)
    columns = scores.select_dtypes("number").columns
    pd.testing.assert_frame_equal(card.table[columns], scores[columns], check_exact=True)
    pd.testing.assert_frame_equal(card.replicates, replicates, check_exact=True)


def test_card_says_what_it_is_made_of(card):
    assert {"measure", "score", "null_mean", "p", "verdict", "sentence"} <= set(card.table)
    assert list(card.sentences.index) == ["cka", "linreg"]
    assert card.headline.endswith(".")
    assert {"target", "variance_ratio", "r2"} <= set(card.components)
    assert {"given", "implied", "outer_low", "outer_high"} <= set(card.implied)
    assert card.facts["version"] == __version__
    assert card.plot().axes
    assert card.headline in card._repr_html_()


def test_card_is_saved_as_page_and_json(card, tmp_path):
    card.to_html(tmp_path / "card.html")
    page = (tmp_path / "card.html").read_text(encoding="utf-8")
    for part in (__version__, "n permutations", "39", "match", card.facts["date"]):
        assert part in page
    assert 'class="ladder"' in page
    assert "@article" in page or "@inproceedings" in page
    stored = json.loads(card.to_json(tmp_path / "card.json"))
    assert stored == json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    assert stored["headline"] == card.headline
    assert [row["measure"] for row in stored["scores"]] == ["cka", "linreg"]


def test_methods_are_a_paragraph_and_references(card):
    paragraph, _, references = card.methods().partition("\n\n")
    assert "39 random permutations" in paragraph
    assert f"scorebounds {__version__}" in paragraph
    entries = references.strip().split("\n\n")
    assert all(entry.startswith("@") and entry.endswith("}") for entry in entries)
    assert "Norouzi, Mohammad" in references
    assert references.count("{") == references.count("}")


@pytest.mark.parametrize("name", registry.names())
def test_every_measure_has_its_source_in_the_bibliography(name):
    keys = methods.cited_keys(registry.load(name).reference)
    assert keys
    entries = methods.bibliography([registry.load(name).reference], "1", ceiling=False)
    assert all(f"{{{key}," in entries for key in keys)


def test_comparison_names_the_closer_model(pair):
    x, y = pair
    models = {"near": x + 0.01 * y, "far": draw(40, 6, seed=3)}
    found = sb.compare(x, models, ["cka"])
    assert {"difference_low", "difference_high", "closer"} <= set(found.table)
    assert found.table.closer.item() == "near"
    assert found.plot().axes
    with pytest.raises(ValueError, match="at least two models"):
        sb.compare(x, {"near": x})


def test_bounds_hold_for_data_with_this_score(pair):
    x, y = pair
    table = sb.bounds(x, cka=sb.score(x, y, "cka")).set_index("measure")
    whole = sb.bounds(x, cka=0.5)
    assert list(whole) == ["measure", "low", "high"]
    assert whole.attrs["bound"].keys() == set(whole.measure)
    assert whole.attrs["bound"]["cka_angular"] == "exact"
    for name in ("nbs", "procrustes_angular"):
        assert table.low[name] <= sb.score(x, y, name) <= table.high[name]
    with pytest.raises(ValueError, match="one measure with its score"):
        sb.bounds(x)
    with pytest.raises(ValueError, match="between 0 and 1, got"):
        sb.bounds(x, cka=1.5)
    with pytest.raises(ValueError, match="got constant ones only"):
        sb.bounds(np.full((20, 3), 0.1), cka=0.5)
    for scale in (1e200, 1e-200):
        np.testing.assert_allclose(
            sb.bounds(scale * x[:, :3], linreg=0.5)[["low", "high"]],
            sb.bounds(x[:, :3], linreg=0.5)[["low", "high"]],
            atol=1e-9,
        )


def test_bounds_about_which_nothing_is_proven_say_so(caplog):
    x = np.random.default_rng(0).normal(size=(50, 10))
    assert sb.bounds(x, **{"svcca_0.9": 0.95}).empty
    assert "nothing is proven about other scores of data with svcca_0.9 = 0.95" in caplog.text


def test_ranges_contain_what_was_attained(capsys):
    found = sb.ranges(draw(12, 3), "linreg", "cka")
    shown = capsys.readouterr().err.splitlines()
    assert shown[0] == "scorebounds: ranges of cka given linreg: optimising both scores jointly"
    assert "scorebounds: searching the upper ends, 2 of 2" in shown
    assert {"a_value", "attained_lower", "attained_upper", "outer_lower"} <= set(found.table)
    attained = found.table.dropna(subset=["attained_lower"])
    assert (attained.outer_lower <= attained.attained_lower + 1e-9).all()
    assert found.plot().axes


def test_card_with_thresholds_states_components_and_variables(pair, capsys):
    x, y = pair
    label = np.where(x[:, 0] > 0, "up", "down")
    found = sb.thresholds(x, ["cka"], labels={"side": label}, n_seeds=2)
    assert set(found.table.kind) == {"pc", "variable"}
    assert {"measure", "target", "score_mean", "n_reached"} <= set(found.table)
    assert "optimising towards cka" in capsys.readouterr().err
    assert found.plot().axes
    card = sb.card(x, y, ["cka"], n_permutations=19, thresholds=found)
    assert "PCs" in card.sentences["cka"]
    again = sb.card(x, y, ["cka"], n_permutations=19, thresholds=found.table)
    assert again.table.equals(card.table)


def test_results_are_pages(pair, tmp_path):
    found = sb.compare(pair[0], {"a": pair[1], "b": pair[0]}, ["cka"])
    found.to_html(tmp_path / "comparison.html")
    page = (tmp_path / "comparison.html").read_text(encoding="utf-8")
    assert "data:image/png;base64," in page
    assert "<table" in found._repr_html_()


def test_read_gives_named_axes_and_checksum(tmp_path):
    np.savez(tmp_path / "rec.npz", activity=draw(20, 4), image=np.arange(20) % 5)
    array = sb.read(tmp_path / "rec.npz", average_by=["image"])
    assert array.dims == ("sample", "neuron")
    assert array.shape == (5, 4)
    assert sorted(array.image.values) == list(range(5))
    assert array.attrs["dataset"] == "rec"
    assert array.attrs["checksum"].startswith("sha256:")


def test_defaults_of_the_library_are_those_of_the_configuration():
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    assert {key: config["optimize"][key] for key in thresholds.OPTIMIZE} == thresholds.OPTIMIZE
    assert config["optimize"]["n_checkpoints"] == thresholds.N_CHECKPOINTS
    assert config["scorecards"]["n_groups"] == 10
    decoding = {**thresholds.DECODING, **thresholds.DECODER}
    assert {key: config["decoding"][key] for key in decoding} == decoding
    assert {key: config["ranges"][key] for key in ranges.SETTINGS if key != "full"} == {
        key: ranges.SETTINGS[key] for key in ranges.SETTINGS if key != "full"
    }


def test_function_ranges_is_not_replaced_by_the_subpackage():
    import scorebounds.ranges.region

    assert scorebounds.ranges is api.ranges
    assert scorebounds.ranges.__module__ == "scorebounds.api"


def test_measures_are_reached_through_the_package():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "cka" in sb.measures.names()
        assert sb.measures.load("cka").name == "cka"


ORDER = np.random.default_rng(3).permutation(40)


def named(values, names, kind):
    if kind == "pandas":
        return pd.DataFrame(values, index=names)
    return xr.DataArray(values, dims=("stimulus", "unit"), coords={"stimulus": names})


@pytest.mark.parametrize(
    "kinds", [("pandas", "pandas"), ("xarray", "xarray"), ("pandas", "xarray")]
)
@pytest.mark.parametrize("names", [ORDER, ORDER.astype(float), ORDER + 5])
def test_a_default_index_names_rows_where_the_other_side_has_other_numbers(kinds, names):
    x, y = draw(40, 6), draw(40, 5)
    first, second = named(x, np.arange(40), kinds[0]), named(y[ORDER], names, kinds[1])
    with pytest.raises(ValueError, match=r"match='names' to pair rows by name, or x\.to_nu"):
        sb.score(first, second)
    expected = sb.score(x, y[ORDER])
    assert sb.score(first.to_numpy(), second.to_numpy()) == pytest.approx(expected)
    if names.max() < 40:
        matched = sb.score(first, second, match="names")
        assert matched == pytest.approx(sb.score(x, y))
        same = sb.score(first, named(y, np.arange(40.0), kinds[1]))
        assert same == pytest.approx(sb.score(x, y))


def test_unknown_names_of_axes_are_refused():
    x = draw(40, 6)
    with pytest.raises(ValueError, match="rename"):
        sb.score(xr.DataArray(x, dims=("a", "b")), x)
    assert sb.score(xr.DataArray(x), x) == pytest.approx(1)


def card_error(x, y):
    with pytest.raises((ValueError, TypeError)) as raised:
        sb.card(x, y, ["cka"], n_permutations=19)
    return str(raised.value)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda x: np.ones_like(x), "expected the recording to vary over samples"),
        (lambda x: x.astype(object), "x.astype(float)"),
        (lambda x: x.astype(str), "x.astype(float)"),
        (lambda x: x + 1j, "pass np.abs(x)"),
        (lambda x: x[:, 0], "x.reshape(-1, 1)"),
        (lambda x: np.rec.fromarrays(x.T), "structured_to_unstructured"),
        (lambda x: [row[: 1 + number] for number, row in enumerate(x)], "different lengths"),
        (lambda x: "recording.npy", "read the file with sb.read"),
        (lambda x: dict(enumerate(x)), "as an array, got dict"),
        (lambda x: scipy.sparse.csr_matrix(x), "x.toarray()"),
        (lambda x: np.ma.masked_greater(x, 2), "getmaskarray"),
    ],
)
def test_what_is_no_activity_is_refused_with_a_remedy(pair, make, said):
    assert said in card_error(make(pair[0]), pair[1])


@pytest.mark.parametrize("factor", [2.0**600, 2.0**-600])
def test_the_size_of_values_does_not_change_a_card(pair, factor):
    expected, found = (
        sb.card(*(size * side for side in pair), ["cka"], n_permutations=19)
        for size in (1.0, factor)
    )
    assert expected.headline == found.headline
    np.testing.assert_allclose(found.table.score, expected.table.score, rtol=1e-12)
    np.testing.assert_allclose(found.components.r2, expected.components.r2, rtol=1e-9)
