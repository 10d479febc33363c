"""Text tables as people have them: the right numbers, or one sentence; no column is misread."""

import gzip
import re

import numpy as np
import pandas as pd
import pytest

from scorebounds.datasets.readers import custom
from scorebounds.datasets.report import describe

RNG = np.random.default_rng(5)
VALUES = np.round(RNG.normal(size=(30, 4)), 3)
NEURONS = ["n1", "n2", "n3", "n4"]
SIDE = np.tile(["left", "right"], 15)


def frame(**columns):
    """A table of four neurons, with other columns before them."""
    table = pd.DataFrame(VALUES, columns=NEURONS)
    for name, values in reversed(columns.items()):
        table.insert(0, name, values)
    return table


def read(tmp_path, text, name="d.csv", **entry):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return custom.load(tmp_path / name, **entry)


def refusal(tmp_path, text, name="d.csv", **entry):
    with pytest.raises(ValueError) as error:
        read(tmp_path, text, name, **entry)
    said = str(error.value)
    assert "\n" not in said
    assert said.startswith(str(tmp_path / name))
    return said


def rows(cells, separator=","):
    return "\n".join(separator.join(line) for line in cells) + "\n"


def with_comma(value):
    return f"{value:.3f}".replace(".", ",")


@pytest.mark.parametrize("separator", [";", "\t", "|"])
@pytest.mark.parametrize("end", ["", "separator"])
def test_separators_and_decimal_commas_are_recognised(tmp_path, separator, end):
    lines = [NEURONS, *([with_comma(v) for v in row] for row in VALUES)]
    text = rows(lines, separator)
    if end:
        text = text.replace("\n", f"{separator}\n")
    array = read(tmp_path, text)
    np.testing.assert_array_equal(array.values, VALUES)
    assert "the decimal mark is ','" in array.attrs["history"]


def test_decimal_commas_between_blanks_need_no_header(tmp_path):
    lines = [" ".join(f"{value:.3f}".replace(".", ",") for value in row) for row in VALUES]
    array = read(tmp_path, "\n".join(lines))
    np.testing.assert_allclose(array.values, VALUES, atol=5e-4)


def test_thousands_separators_are_no_decimal_marks(tmp_path):
    large = np.round(1000 * VALUES, 2)
    german = [[f"{v:,.2f}".translate(str.maketrans(",.", ".,")) for v in row] for row in large]
    array = read(tmp_path, rows([NEURONS, *german], ";"))
    np.testing.assert_allclose(array.values, large)
    english = [[f'"{v:,.2f}"' for v in row] for row in large]
    np.testing.assert_allclose(read(tmp_path, rows([NEURONS, *english])).values, large)


def test_ambiguous_comma_is_refused_with_advice(tmp_path):
    whole = rows([["a", "b"], *([["1,234", "5,678"], ["2,345", "6,789"]] * 5)], ";")
    assert "say `decimal: ','` or `decimal: '.'`" in refusal(tmp_path, whole)
    assert read(tmp_path, whole, decimal=",").values[0].tolist() == [1.234, 5.678]
    assert read(tmp_path, whole, decimal=".").values[0].tolist() == [1234, 5678]


def test_decimal_commas_between_commas_are_refused_with_the_cause(tmp_path):
    text = rows([NEURONS, *([with_comma(v) for v in row] for row in VALUES)])
    assert "are these decimal commas?" in refusal(tmp_path, text)


@pytest.mark.parametrize("index", ["pandas", "pandas from 1", "R", "named", "text"])
def test_an_index_is_no_neuron(tmp_path, index):
    table = frame(side=SIDE)
    if index == "R":
        text = table.to_csv().replace(",side", "side", 1).replace("\n", "\n").lstrip(",")
    elif index == "pandas from 1":
        text = table.set_axis(range(1, 31)).to_csv()
    elif index == "named":
        text = table.to_csv(index_label="index")
    elif index == "text":
        text = table.set_axis([f"im{number}" for number in range(30)]).to_csv()
    else:
        text = table.to_csv()
    array = read(tmp_path, text)
    np.testing.assert_array_equal(array.values, VALUES)
    assert array.attrs["variables"] == ["side"]
    assert ("row_name" in array.coords) == (index == "text")


@pytest.mark.parametrize("name", ["stimulus_id", "image", "id", "trial", "Index", "session_id"])
def test_whole_numbers_that_are_called_an_identifier_are_no_neuron(tmp_path, name):
    identifiers = RNG.permutation(1000)[:30]
    array = read(tmp_path, frame(**{name: identifiers}).to_csv(index=False))
    np.testing.assert_array_equal(array.values, VALUES)
    assert array.attrs["variables"] == []
    assert repr(name) in array.attrs["history"]


def test_two_random_tables_with_the_same_identifiers_are_not_alike(tmp_path):
    first, second = (
        read(
            tmp_path, frame(stimulus_id=np.arange(30) * 17 + 1000).assign(n1=n).to_csv(index=False)
        )
        for n in RNG.normal(size=(2, 30))
    )
    assert first.shape == second.shape == (30, 4)
    assert first.values.max() < 10


@pytest.mark.parametrize("name", ["category", "block", "target", "Condition", "object_class"])
def test_whole_numbers_that_are_called_a_class_are_a_label(tmp_path, name):
    array = read(tmp_path, frame(**{name: np.arange(30) % 3}).to_csv(index=False))
    np.testing.assert_array_equal(array.values, VALUES)
    assert array.attrs["variables"] == [name]
    assert array.attrs["found"] == [name]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (RNG.poisson(2, 30), "it holds whole numbers and the others hold decimals"),
        (np.arange(30) * 17 + 1000, "it counts the rows in equal steps"),
        (1e6 * RNG.normal(size=30), "times that of the others"),
    ],
)
def test_column_that_differs_from_the_neurons_is_refused_and_the_advice_works(
    tmp_path, values, reason
):
    text = frame(strange=values).to_csv(index=False)
    said = refusal(tmp_path, text)
    assert "cannot tell whether column 'strange' is a neuron" in said
    assert reason in said
    assert "columns: {strange: ignore}" in said
    np.testing.assert_array_equal(
        read(tmp_path, text, columns={"strange": "ignore"}).values, VALUES
    )
    assert read(tmp_path, text, columns={"strange": "neuron"}).shape == (30, 5)


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("foo", RNG.permutation(30) + 100_000, "each number once, in equal steps if sorted"),
        ("y", np.arange(30) % 3, "its values recur every 3 rows"),
        ("y", RNG.permutation(np.arange(30) % 6), "each of its values is there equally often"),
        ("y", np.sort(RNG.choice(300, 30, replace=False)), "its values are sorted"),
        ("y", RNG.poisson(5, 30), "its name is not like those of the others ('u0', 'u1', …)"),
    ],
)
def test_column_that_differs_from_the_counts_is_refused_with_advice(tmp_path, name, values, reason):
    counts = pd.DataFrame(RNG.poisson(5, (30, 8)), columns=[f"u{n}" for n in range(8)])
    text = counts.assign(**{name: values}).to_csv(index=False)
    assert reason in refusal(tmp_path, text)
    array = read(tmp_path, text, columns={name: "label"})
    np.testing.assert_array_equal(array.values, counts)


def test_a_date_does_not_name_the_rows(tmp_path):
    dates = pd.date_range("2020", periods=30).astype(str)
    array = read(tmp_path, frame(date=dates).to_csv(index=False))
    assert "row_name" not in array.coords
    assert array.attrs["variables"] == []


def test_numbered_columns_with_a_common_prefix_are_neurons(tmp_path):
    counts = pd.DataFrame(RNG.poisson(5, (30, 6)), columns=[f"trial_{n}" for n in range(6)])
    array = read(tmp_path, counts.to_csv(index=False))
    np.testing.assert_array_equal(array.values, counts)


@pytest.mark.parametrize("words", [("True", "False"), ("TRUE", "FALSE"), ("true", "false")])
def test_true_and_false_among_numbers_are_a_label(tmp_path, words):
    array = read(tmp_path, frame(rewarded=np.tile(words, 15)).to_csv(index=False))
    assert array.shape == (30, 4)
    assert array.rewarded.values.tolist() == [True, False] * 15


def test_nothing_but_true_and_false_are_spikes(tmp_path):
    spikes = pd.DataFrame(RNG.random((30, 3)) < 0.5, columns=NEURONS[:3])
    assert read(tmp_path, spikes.to_csv(index=False)).values.tolist() == spikes.values.tolist()


@pytest.mark.parametrize("word", ["NA", "None", "null", "nan", "N/A"])
def test_text_that_looks_like_a_missing_value_is_a_class(tmp_path, word):
    array = read(tmp_path, frame(region=np.tile([word, "V1"], 15)).to_csv(index=False))
    assert sorted(set(array.region.values.tolist())) == sorted([word, "V1"])
    assert array.shape == (30, 4)


@pytest.mark.parametrize("word", ["NA", "", "NaN", "null"])
def test_a_missing_number_is_missing(tmp_path, word):
    text = frame().to_csv(index=False).replace(str(VALUES[3, 2]), word, 1)
    array = read(tmp_path, text)
    assert np.isnan(array.values[3, 2])
    assert np.isfinite(array.values).sum() == VALUES.size - 1


def test_savetxt_without_and_with_header(tmp_path):
    np.savetxt(tmp_path / "plain.csv", VALUES, delimiter=",")
    array = custom.load(tmp_path / "plain.csv")
    np.testing.assert_array_equal(array.values, VALUES)
    assert "there is no header" in array.attrs["history"]
    np.savetxt(tmp_path / "blanks.txt", VALUES)
    np.testing.assert_array_equal(custom.load(tmp_path / "blanks.txt").values, VALUES)
    np.savetxt(tmp_path / "named.csv", VALUES, delimiter=",", header="age,b,c,d")
    with pytest.raises(ValueError, match="cannot tell whether column 'age' is a neuron"):
        custom.load(tmp_path / "named.csv")
    named = custom.load(tmp_path / "named.csv", columns={"age": "neuron"})
    np.testing.assert_array_equal(named.values, VALUES)


def test_numbers_of_columns_are_a_header(tmp_path):
    array = read(tmp_path, pd.DataFrame(VALUES).to_csv(index=False))
    np.testing.assert_array_equal(array.values, VALUES)


@pytest.mark.parametrize("name", ["d.tsv", "d.csv.gz", "d.parquet", "d.feather"])
def test_other_tables_have_the_same_columns(tmp_path, name):
    table = frame(image=[f"im{n:02}" for n in range(30)], side=SIDE)
    if name.endswith("gz"):
        with gzip.open(tmp_path / name, "wt") as file:
            file.write(table.to_csv(index=False))
    elif name.endswith("tsv"):
        table.to_csv(tmp_path / name, index=False, sep="\t")
    elif name.endswith("parquet"):
        table.to_parquet(tmp_path / name)
    else:
        table.to_feather(tmp_path / name)
    array = custom.load(tmp_path / name)
    np.testing.assert_array_equal(array.values, VALUES)
    assert array.attrs["variables"] == ["side"]
    assert array.row_name.values.tolist() == table.image.tolist()


def test_names_with_leading_zeros_stay_text(tmp_path):
    table = frame(image=[f"{number:03}" for number in range(30)])
    assert read(tmp_path, table.to_csv(index=False)).row_name.values[7] == "007"


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig"])
def test_encodings_of_spreadsheets(tmp_path, encoding):
    table = frame(ort=np.tile(["Köln", "Zürich"], 15))
    (tmp_path / "d.csv").write_text(table.to_csv(index=False), encoding=encoding)
    array = custom.load(tmp_path / "d.csv", labels=["ort"])
    np.testing.assert_array_equal(array.values, VALUES)
    assert set(array.ort.values) == {"Köln", "Zürich"}


def test_accidents_of_spelling_do_not_make_classes(tmp_path):
    side = np.tile(["left", "right", "left ", "right"], 8)[:30]
    table = frame(side=side, contrast=np.tile([0.3, 0.1 + 0.2], 15))
    array = read(tmp_path, table.to_csv(index=False))
    assert set(array.side.values.tolist()) == {"left", "right"}
    # One value throughout once rounding is left aside.
    assert array.attrs["variables"] == ["side"]


def test_a_row_that_is_too_long_or_short_is_named(tmp_path):
    lines = frame().to_csv(index=False).splitlines()
    lines[4] += ",1"
    assert "expected 4 fields in each row, as in the header, got 5 in row 3" in refusal(
        tmp_path, "\n".join(lines)
    )


def test_a_compressed_bomb_is_refused_before_it_is_read(tmp_path, monkeypatch):
    with gzip.open(tmp_path / "d.csv.gz", "wb") as file:
        file.write(b"a,b\n" + b"1,2\n" * 1_000_000)
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("M", (), {"available": 1_000_000}))
    with pytest.raises(ValueError, match=r"the table needs .* GB of memory or more"):
        custom.load(tmp_path / "d.csv.gz")


def test_report_lists_what_each_column_became_and_escapes_names(tmp_path):
    table = frame(stimulus_id=np.arange(30), side=SIDE)
    table["x|y<script>alert(1)</script>"] = np.tile(["a<b", "c|d"], 15)
    table.to_csv(tmp_path / "d.csv", index=False)
    array = custom.load(tmp_path / "d.csv").assign_attrs(dataset="<b>d</b>")
    text = describe(array, [tmp_path / "d.csv"])
    assert "<script>" not in text
    assert "<b>" not in text
    assert r"a&lt;b" in text
    assert "took 4 columns as neurons: n1, n2, n3, n4" in text
    assert "'stimulus_id' as the names of the rows" in text
    row = next(line for line in text.splitlines() if line.startswith(f"| {tmp_path / 'd.csv'} |"))
    assert re.search(r"\d+ bytes, changed \d{4}-\d\d-\d\d .*, sha256:[0-9a-f]{64} \|$", row)


@pytest.mark.parametrize("name", ["unit", "neuron_id", "Cell", "neuroid"])
def test_a_row_per_neuron_is_refused(tmp_path, name):
    table = frame(**{name: [f"u{number}" for number in range(30)]})
    assert "got a column" in refusal(tmp_path, table.to_csv(index=False))


def test_a_row_per_sample_and_neuron_is_refused(tmp_path):
    table = pd.DataFrame(
        {
            "stimulus": np.repeat(np.arange(6), 5),
            "neuron": np.tile(np.arange(5), 6),
            "rate": RNG.normal(size=30),
        }
    )
    said = refusal(tmp_path, table.to_csv(index=False))
    assert "a table with a row per sample and neuron has" in said


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("n_empty", [1, 2])
@pytest.mark.parametrize("has_header", [True, False])
def test_separators_at_the_end_of_rows_are_no_columns(tmp_path, separator, n_empty, has_header):
    lines = [*([NEURONS] if has_header else []), *([str(v) for v in row] for row in VALUES)]
    text = rows([[*line, *[""] * n_empty] for line in lines], separator)
    np.testing.assert_array_equal(read(tmp_path, text).values, VALUES)
    if has_header:
        first, rest = text.split("\n", 1)
        without = first.rstrip(separator) + "\n" + rest
        np.testing.assert_array_equal(read(tmp_path, without).values, VALUES)


@pytest.mark.parametrize(
    "first", [["face", "0.3", "1.2"], ["face", "3", "5"], ["NA", "1.2", "0.3"], ["0.5", "", "0.2"]]
)
def test_a_first_row_that_may_be_a_sample_is_asked_about(tmp_path, first):
    kinds = [["face" if first[0] == "face" else "0.1", "7", "2.5"]] * 12
    assert "is the header or a sample" in refusal(tmp_path, rows([first, *kinds]))


@pytest.mark.parametrize(
    "header", [["image", "0", "1", "2"], ["image", "1", "2", "3"], ["image", "17", "4", "9"]]
)
def test_numbers_of_neurons_after_another_name_are_a_header(tmp_path, header):
    lines = [[f"im{place}", *map(str, row[:3])] for place, row in enumerate(VALUES)]
    array = read(tmp_path, rows([header, *lines]))
    np.testing.assert_array_equal(array.values, VALUES[:, :3])


@pytest.mark.parametrize("word", ["", "NaN", "NA"])
def test_a_column_without_values_is_no_label(tmp_path, word):
    table = frame().assign(n3=word, note=word)
    assert "column 'note' is a neuron: it has no value" in refusal(
        tmp_path, table.to_csv(index=False)
    )
    del table["note"]
    array = read(tmp_path, table.to_csv(index=False))
    assert np.isnan(array.values[:, 2]).all()
    kept = read(tmp_path, table.to_csv(index=False), drop=["missing_neurons"])
    np.testing.assert_array_equal(kept.values, np.delete(VALUES, 2, axis=1))


@pytest.mark.parametrize("stem", ["u", "neuron_", "Unit ", "ch"])
def test_names_of_neurons_as_index_are_refused(tmp_path, stem):
    stem = "channel" if stem == "ch" else stem
    table = frame().T.set_axis([f"{stem}{number}" for number in range(4)])
    assert "a table with a row per neuron has" in refusal(tmp_path, table.to_csv())


@pytest.mark.parametrize("form", ["{:_}", "({})", "'{}'"])
def test_numbers_as_no_program_writes_them_are_refused(tmp_path, form):
    text = rows([NEURONS, *([form.format(round(1e6 + 1e4 * v)) for v in row] for row in VALUES)])
    assert "as programs write them" in refusal(tmp_path, text)


def test_three_digits_after_every_point_are_reported(tmp_path):
    large = np.round(1.5 + np.abs(VALUES), 3)
    text = rows([NEURONS, *([f"{v:.3f}" for v in row] for row in large)], ";")
    array = read(tmp_path, text)
    np.testing.assert_array_equal(array.values, large)
    assert "every number has three digits after its point" in array.attrs["history"]
    np.testing.assert_allclose(read(tmp_path, text, decimal=",").values, 1000 * large)


@pytest.mark.parametrize("header", [[0.05, 0.1, 0.15, 0.2], [0.5, 1.1, 2.3, 4.7, 9.2, 20.5]])
def test_times_or_frequencies_as_header_are_asked_about(tmp_path, header):
    values = RNG.normal(size=(20, len(header)))
    said = refusal(tmp_path, pd.DataFrame(values, columns=header).to_csv(index=False))
    assert "is the header or a sample" in said
    # Rows that all rise are samples.
    values = np.sort(values, axis=1)
    text = pd.DataFrame(values).to_csv(index=False, header=False)
    np.testing.assert_allclose(read(tmp_path, text).values, values)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_fields_and_lines_may_be_long(tmp_path, separator):
    rows = np.random.default_rng(0).normal(size=(8, 1_500)).round(4)
    names = separator.join(f"{'n' * 100}{number}" for number in range(1_500))
    np.savetxt(tmp_path / "wide.csv", rows, header=names, comments="", delimiter=separator)
    assert custom.load(tmp_path / "wide.csv").shape == rows.shape
    table = pd.DataFrame(rows[:, :3], columns=list("abc")).assign(side=["x" * 140_000, *"yxyxyxy"])
    table.to_csv(tmp_path / "long.csv", index=False, sep=separator)
    assert custom.load(tmp_path / "long.csv").side[0] == "x" * 140_000
