"""The pages of a finished run: links that resolve, and an explorer that answers in a browser."""

import re
import shutil
import subprocess
from html import unescape
from html.parser import HTMLParser
from urllib.parse import unquote

import pandas as pd
import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


class Links(HTMLParser):
    """Collect the addresses that a page names and the names of its places."""

    def __init__(self, text):
        super().__init__()
        self.addresses, self.places = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for key, value in attributes:
            if key in ("href", "src"):
                self.addresses.append(value)
            elif key == "id":
                self.places.append(value)


def test_index_lists_every_result_and_every_link_resolves(tiny_run):
    results = tiny_run.folder / "results"
    page = Links((results / "index.html").read_text())
    linked = set()
    for address in page.addresses:
        if address.startswith("#"):
            assert address[1:] in page.places
        else:
            linked.add((results / unquote(address)).resolve())
    assert [path for path in linked if not path.is_file()] == []
    patterns = ("tables/*.csv", "figures/**/*.*", "scorecards/*/*.html", "data/*.md", "*.html")
    made = {path.resolve() for pattern in patterns for path in results.glob(pattern)}
    made = {path for path in made if not path.name.startswith(".")}
    assert made - linked == {(results / "index.html").resolve()}


def test_every_link_of_a_score_card_resolves(tiny_run):
    pages = list((tiny_run.folder / "results/scorecards").glob("*/*.html"))
    assert len(pages) == 2
    for path in pages:
        text = path.read_text()
        assert "@software{scorebounds," in text
        assert "@inproceedings{kornblith2019," in text
        assert "Blind to: components of small variance" in text
        links = Links(text)
        files = [address for address in links.addresses if not re.match("https?:|#", address)]
        assert files
        for address in files:
            assert (path.parent / unquote(address)).is_file(), address
        places = {address[1:] for address in links.addresses if address.startswith("#")}
        assert places == {"measure-cka", "measure-procrustes_angular", "measure-ridge_cv_1"}
        assert places <= set(links.places)


@pytest.fixture
def opened(tiny_run, tmp_path):
    """Return the function that opens the explorer without network and returns what it shows."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"needs a browser, one of {', '.join(BROWSERS)}")
    page = tmp_path / "explorer.html"

    def show(address, then=""):
        text = (tiny_run.folder / "results/explorer.html").read_text()
        before, end, after = text.rpartition("</body>")
        page.write_text(f'{before}<script type="module">{then}</script>{end}{after}')
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu"]
        command += ["--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr"]
        command += [f"--user-data-dir={tmp_path}/profile", "--virtual-time-budget=20000"]
        command += ["--dump-dom", f"file://{page}{address}"]
        ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
        assert "CONSOLE" not in ran.stderr, ran.stderr
        return ran.stdout

    return show


def text_of(dom, name):
    (found,) = re.findall(rf'(?s)id="{name}"[^>]*>(.*?)</p>', dom)
    return unescape(found)


def marks_of(dom, name):
    """List how the marks of a chart are described to a screen reader."""
    start = dom.index(f'id="{name}"')
    return re.findall(r'<path aria-label="([^"]*)"', dom[start : dom.index("</figure>", start)])


def captured_of(run, dataset, measure, score):
    table = pd.read_csv(run.folder / "results/tables/thresholds.csv")
    rows = table[(table.dataset == dataset) & (table.measure == measure) & (table.kind == "pc")]
    return f"have captured {(rows.score_all <= score).sum()} of {len(rows)} components"


def test_explorer_shows_what_its_address_says(opened, tiny_run):
    shown = {}
    for dataset, measure, score in (
        ("ultrametric", "cka", 0.5),
        ("simulated-pfc", "procrustes_angular", 0.7),
    ):
        dom = opened(f"#dataset={dataset}&measure={measure}&score={score}")
        assert text_of(dom, "status") == ""
        summary = text_of(dom, "summary")
        assert summary.startswith(f"On {dataset}, data optimised to ")
        assert captured_of(tiny_run, dataset, measure, score) in summary
        shown[dataset] = {name: marks_of(dom, name) for name in ("ladder", "components")}
    assert len(shown["simulated-pfc"]["components"]) == 10
    assert len(shown["ultrametric"]["components"]) == 50
    cards = pd.read_csv(tiny_run.folder / "results/tables/scorecards.csv")
    for model, score in zip(cards.model, cards.score, strict=True):
        marks = [text for text in shown["simulated-pfc"]["ladder"] if f"model: {model};" in text]
        drawn = [float(re.match(r"score: ([^;]+)", text)[1].replace("−", "-")) for text in marks]
        assert score in [pytest.approx(value, abs=1e-4) for value in drawn]


def test_explorer_gives_the_range_of_the_table(opened, tiny_run):
    ranges = pd.read_csv(tiny_run.folder / "results/tables/ranges.csv")
    row = ranges[(ranges.a == "cka") & (ranges.b == "nbs") & (ranges.a_value == 0.8)].iloc[0]
    dom = opened("#dataset=ultrametric&measure=cka&score=0.8")
    mark = next(text for text in marks_of(dom, "possible") if "measure: NBS;" in text)
    (ends,) = re.findall(r"found by search: ([\d.]+) to ([\d.]+)$", mark)
    attained = [row.attained_lower, row.attained_upper]
    assert [float(end) for end in ends] == pytest.approx(attained, abs=6e-4)


def test_controls_change_the_picture_and_the_address(opened, tiny_run):
    change = """
    const set = (id, value, kind) => { const control = document.getElementById(id);
      control.value = value; control.dispatchEvent(new Event(kind, { bubbles: true })); };
    const wait = () => new Promise(done => setTimeout(done, 1500));
    await wait();
    set("dataset", "simulated-pfc", "change"); await wait();
    set("measure", "procrustes_angular", "change"); await wait();
    set("score", "0.7", "input"); await wait();
    document.querySelector("#measures input[value=cka]").click(); await wait();
    const texts = [];
    URL.createObjectURL = blob => { texts.push(blob.text()); return "data:,"; };
    document.getElementById("csv").click();
    document.body.dataset.csv = await texts[0];
    """
    dom = opened("#dataset=ultrametric&measure=cka&score=0.5", change)
    (csv,) = re.findall(r'(?s)data-csv="([^"]*)"', dom)
    summary = text_of(dom, "summary")
    assert captured_of(tiny_run, "simulated-pfc", "procrustes_angular", 0.7) in summary
    rows = [line.split(",") for line in unescape(csv).split("\n")]
    assert rows[0] == ["dataset", "measure", "score", "kind", "name", "value", "low", "high"]
    components = [row for row in rows if row[3:4] == ["component"]]
    assert len(components) == 10
    assert {row[2] for row in components} == {"0.70"}
    assert {row[1] for row in rows if row[3:4] == ["model"]} == {"procrustes_angular", "ridge_cv_1"}
    assert not any("measure: CKA;" in text for text in marks_of(dom, "ladder"))
    (address,) = re.findall(r'data-ready="([^"]*)"', dom)
    assert unescape(address) == (
        "#dataset=simulated-pfc&measure=procrustes_angular&score=0.70"
        "&measures=procrustes_angular%2Cridge_cv_1%2Cridge_cv_1000"
    )


def test_explorer_says_what_is_wrong_with_an_address(opened):
    dom = opened("#dataset=elsewhere&measure=cka&score=7")
    said = text_of(dom, "status")
    assert "dataset “elsewhere” is not in this run" in said
    assert "score “7” is not between 0 and 1" in said
    assert text_of(dom, "summary")
