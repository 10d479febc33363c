"""Data through the workflow: fetched, held to its checksum, reported and accounted for."""

import functools
import http.server
import shutil
import threading

import pandas as pd
import pytest

from helpers.recordings import UNITS, unit_bytes, write_archive
from helpers.workflow import TINY, copy_project, snakemake

THRESHOLDS = "results/tables/thresholds.csv"
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


def run(folder, *arguments, network=None):
    """Run the workflow; `network` is the proxy that HTTPS goes through."""
    options = ("--cores", 1, "--configfile", TINY, "settings.yaml")
    environment = {"https_proxy": network} if network else {}
    return snakemake(*arguments, *options, folder=folder, environment=environment)


def test_fetched_file_is_checked_used_and_listed(tmp_path, mirror_server, unreachable):
    served, url = mirror_server
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

    # Snakemake deletes the file before the job; it is restored without a network.
    again = run(folder, wanted, "--forcerun", "fetch_dataset", "--config", "offline=true")
    assert again.returncode == 0, again.said
    assert "rule fetch_dataset:" in again.said
    assert raw.is_file()

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

    # Another file in its place is refused by the first job that reads it.
    content = raw.read_bytes()
    (folder / "data/prepared/mante2013.nc").unlink()
    raw.write_bytes(content[:-1])
    refused = run(folder, "data/prepared/mante2013.nc")
    assert refused.returncode != 0
    assert "as in data/checksums.lock, from its first download, got" in refused.said
    assert not (folder / "data/prepared/mante2013.nc").exists()
    shutil.rmtree(folder / "data/raw")
    write_archive(served / "mante2013/PFC-data.zip", [(UNITS.format(1), b"another")])
    refused = run(folder, wanted, network=unreachable)
    assert refused.returncode != 0
    said = next(line for line in refused.said.splitlines() if line.startswith("error: "))
    assert "not the one expected by data/checksums.lock (from its first download)" in said
    assert "https://www.ini.uzh.ch/" in said
    assert "mirrors" in said
    assert "offline=true" in said
    assert not list(raw.parent.glob("*"))


def test_damaged_catalogue_ends_with_one_sentence(tmp_path):
    project = copy_project(tmp_path / "project")
    path = project / "data/datasets.tsv"
    path.write_text(path.read_text().replace(":0b58e6df", ":Xb58e6df"))
    failed = snakemake("-n", "--configfile", TINY, folder=tmp_path, root=project)
    assert failed.returncode != 0
    assert "datasets, files → 0 → checksum: expected a checksum, sha256:<64 hex" in failed.said
    assert "Traceback" not in failed.said


@pytest.mark.parametrize("damage", ["changed in the mirror", "unreachable"])
def test_recording_that_no_source_has_ends_with_one_sentence(tmp_path, mirror, unreachable, damage):
    name = "hatsopoulos2007-averages"
    (source,) = (mirror / name).iterdir()
    place = tmp_path / "mirror" / name
    place.mkdir(parents=True)
    if damage == "changed in the mirror":
        (place / source.name).write_bytes(source.read_bytes() + b" ")
    (tmp_path / "settings.yaml").write_text(
        f"datasets: [{name}]\nmirrors: [mirror, '{unreachable}']\noffline: false\n"
        "downloads: {retries: 0}\n"
    )
    # Its own address is tried last.
    failed = run(tmp_path, THRESHOLDS, network=unreachable)
    assert failed.returncode != 0
    (said,) = {line for line in failed.said.splitlines() if line.startswith("error: ")}
    assert f"data/raw/{name}/{source.name}: none of its sources has it" in said
    reason = "checksum is not the one expected" if damage.startswith("changed") else "no such file"
    assert reason in said
    assert unreachable in said
    assert "offline=true" in said
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    # Only the empty file that one job at a time locks.
    assert [path.stat().st_size for path in files] == [0]


def test_recording_damaged_after_it_was_fetched_is_not_used(tmp_path, mirror):
    name = "hatsopoulos2007-averages"
    (source,) = (mirror / name).iterdir()
    place = tmp_path / "data/raw" / name
    place.mkdir(parents=True)
    (place / source.name).write_bytes(source.read_bytes()[:-1])
    (tmp_path / "settings.yaml").write_text(f"datasets: [{name}]\n")
    failed = run(tmp_path, THRESHOLDS)
    assert failed.returncode != 0
    said = [line for line in failed.said.splitlines() if line.startswith("error: ")]
    assert said
    assert f"data/raw/{name}/{source.name}: expected sha256:" in said[0]
    assert not (tmp_path / "data/prepared" / f"{name}.nc").exists()
