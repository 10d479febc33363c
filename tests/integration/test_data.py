"""Data through the workflow: fetched, held to its checksum, reported and accounted for."""

import functools
import http.server
import threading

import numpy as np
import pandas as pd
import pytest

from helpers.recordings import UNITS, unit_bytes, write_archive
from helpers.workflow import TINY, snakemake

SETTINGS = """
datasets: [mante2013]
offline: false
downloads: {{retries: 0, timeout: 2}}
mirrors: ["{url}"]
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def mirror_server(tmp_path):
    """A mirror on loopback that has a small archive of mante2013."""
    folder = tmp_path / "server"
    (folder / "mante2013").mkdir(parents=True)
    members = [(UNITS.format(n), unit_bytes(tmp_path, rate=20 + n)) for n in range(4)]
    write_archive(folder / "mante2013/PFC-data.zip", members)
    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield folder, f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


def run(folder, *arguments):
    options = ("--cores", 1, "--configfile", TINY, "settings.yaml")
    return snakemake(*arguments, *options, folder=folder)


def test_fetched_held_to_its_checksum_and_accounted_for(tmp_path, mirror_server, monkeypatch):
    served, url = mirror_server
    # What has to come from elsewhere would fail, not reach a network.
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "settings.yaml").write_text(SETTINGS.format(url=url))
    wanted = "data/raw/mante2013/PFC-data.zip"
    raw = folder / wanted

    fetched = run(folder, wanted)
    assert fetched.returncode == 0, fetched.said
    assert "its checksum was not known; sha256:" in fetched.said
    assert raw.is_file()
    assert not (folder / "data/prepared").exists()
    lock = (folder / "data/checksums.lock").read_text()
    assert lock.endswith("  mante2013/PFC-data.zip\n")
    assert "Nothing to be done" in run(folder, wanted).said

    # Offline, for the published results, which the table would name, are not served.
    targets = ("data/prepared/mante2013.nc", "results/tables/availability.csv")
    made = run(folder, *targets, "--config", "offline=true")
    assert made.returncode == 0, made.said
    report = (folder / "results/data/mante2013.md").read_text()
    assert "| axes | 15 times, 72 conditions, 4 neurons |" in report
    table = pd.read_csv(folder / "results/tables/availability.csv").set_index("dataset")
    row = table.loc["mante2013"]
    assert row.status == "used"
    assert row.source == f"{url}/mante2013/PFC-data.zip"
    assert row.checksum == lock.split()[0]
    assert "data/checksums.lock" in row.held_to
    assert "Mante" in row.citation
    assert (table.loc["siegel2015"].reason).startswith("not public")
    models = ["rnn-context", "rnn-context-untrained"]
    assert (table.loc[models].status == "made").all()
    assert (table.drop(["mante2013", *models]).status == "left out").all()

    # Another file in its place is refused, by whoever meets it first.
    content = raw.read_bytes()
    (folder / "data/prepared/mante2013.nc").unlink()
    raw.write_bytes(content[:-1])
    refused = run(folder, "data/prepared/mante2013.nc")
    assert refused.returncode != 0
    assert "as in data/checksums.lock, from its first download, got" in refused.said
    assert not (folder / "data/prepared/mante2013.nc").exists()
    raw.unlink()
    write_archive(served / "mante2013/PFC-data.zip", [(UNITS.format(1), b"another")])
    refused = run(folder, wanted)
    assert refused.returncode != 0
    said = next(line for line in refused.said.splitlines() if line.startswith("error: "))
    assert "not the one expected by data/checksums.lock (from its first download)" in said
    assert "https://www.ini.uzh.ch/" in said
    assert "mirrors" in said
    assert "offline=true" in said
    assert {path.name for path in raw.parent.iterdir()} <= {"PFC-data.zip.source.json"}


def test_own_recording_with_axes_and_a_table_of_labels(tmp_path):
    rng = np.random.default_rng(0)
    rates = rng.standard_normal((24, 5, 4))
    rates[:, :, 2] = 0
    np.savez(tmp_path / "mine.npz", rates=rates)
    cue, side = np.arange(24) % 3, np.arange(24) // 4 % 2
    pd.DataFrame({"cue": cue, "side": side}).to_csv(tmp_path / "trials.csv", index=False)
    (tmp_path / "settings.yaml").write_text(
        "datasets: []\nmeasures: [cka]\ncustom:\n  mine:\n    path: mine.npz\n    array: rates\n"
        "    axes: [trial, time, neuron]\n    labels: trials.csv\n    average_by: [cue, side]\n"
        "    units: Hz\n    time: [10, 30, 50, 70, 90]\n    drop: [constant_neurons]\n"
    )
    made = run(tmp_path, "results/tables/thresholds.csv", "results/tables/availability.csv")
    assert made.returncode == 0, made.said
    thresholds = pd.read_csv(tmp_path / "results/tables/thresholds.csv")
    assert thresholds.target.tolist() == [1, 2, 3]
    assert "variable 'side': expected at least 5 conditions of each class" in made.said
    report = (tmp_path / "results/data/mine.md").read_text()
    assert "| axes | 5 times, 6 conditions, 3 neurons |" in report
    assert "- averaged 24 trials by cue, side: 6 conditions of 4 to 4" in report
    assert "- left out 1 neuron(s): number 2, counted from 0: constant" in report
    own = pd.read_csv(tmp_path / "results/tables/availability.csv").query("dataset == 'mine'")
    assert own.file.tolist() == ["mine.npz", "trials.csv"]
    assert own.checksum.str.startswith("sha256:").all()

    # A changed table of labels prepares it anew.
    pd.DataFrame({"cue": cue, "side": cue % 2}).to_csv(tmp_path / "trials.csv", index=False)
    planned = run(tmp_path, "data/prepared/mine.nc", "-n")
    assert "rule prepare_dataset:" in planned.said
