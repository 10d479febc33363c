"""Networks of several architectures are trained, compared and drawn in a run."""

import hashlib

import pandas as pd
import yaml

from helpers.cifar import cifar_archive
from helpers.workflow import ROOT, copy_project, planned_jobs, snakemake

SMALL = {
    "architectures": {
        "n_networks": 2,
        "widths": [1],
        "depths": [1],
        "residual_blocks": [],
    },
    # Four images of each class, as debiased CKA needs within a class.
    "layers": {
        "n_networks": 2,
        "n_untrained": 2,
        "n_images": 40,
        "measures": ["cka"],
        "training": {"n_steps": 2, "batch_size": 8},
    },
}
FIGURES = ("depths", "residual", "widths", "other_data")
OF_ONE_ARCHITECTURE = (
    *("layers", "layer_maps", "layer_families", "first_components", "layer_components"),
    *("class_maps", "untrained_maps", "unrelated"),
)
PAPER = ROOT / "config/kornblith-cifar10.yaml"


def with_invented_images(folder):
    """Copy the project, with an invented archive in its catalogue; return the copy and a mirror."""
    archive = folder / "mirror/cifar10/cifar-10-binary.tar.gz"
    archive.parent.mkdir(parents=True)
    cifar_archive(archive)
    project = copy_project(folder / "project")
    catalogue = project / "data/datasets.tsv"
    lines = catalogue.read_text(encoding="utf-8").splitlines()
    (row,) = (number for number, line in enumerate(lines) if line.startswith("cifar10\t"))
    cells = dict(zip(lines[0].split("\t"), lines[row].split("\t"), strict=True))
    cells["checksum"] = f"sha256:{hashlib.sha256(archive.read_bytes()).hexdigest()}"
    cells["bytes"] = str(archive.stat().st_size)
    lines[row] = "\t".join(cells.values())
    catalogue.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return project, archive.parents[1]


def test_settings_for_cifar10_run_on_an_archive_of_the_same_format(tmp_path):
    project, mirror = with_invented_images(tmp_path)
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(SMALL | {"mirrors": [str(mirror)]}))
    figures = [f"figure_{name}" for name in (*FIGURES, "layers", "untrained_maps")]
    options = ("--cores", 2, *figures, "--configfile", PAPER, "small.yaml")
    run = snakemake(*options, folder=tmp_path, root=project)
    assert run.returncode == 0, run.said
    folder = tmp_path / "results/architectures"
    maps, probes = (pd.read_csv(folder / f"{name}.csv") for name in ("maps", "probes"))
    assert len(maps) == 81
    assert maps.score.between(0, 1).all()
    assert set(probes.network) == {"tiny-1x1", "half-1", "half-2"}
    assert set(probes.number) == {1, 2}
    for figure in figures:
        name = figure.removeprefix("figure_")
        assert (tmp_path / f"results/figures/{name}.pdf").is_file()
    states = pd.read_csv(tmp_path / "results/layers/states.csv")
    assert set(states.networks) == {
        "trained, trained",
        "trained, untrained",
        "untrained, untrained",
    }
    assert states.score.between(0, 1).all()
    again = snakemake(*options, folder=tmp_path, root=project)
    assert "Nothing to be done" in again.said


def test_settings_of_the_paper_plan_all_networks_and_figures(tmp_path):
    for config, n_networks in ((ROOT / "config/kornblith.yaml", 22), (PAPER, 70)):
        run = snakemake("-n", "--configfile", config, folder=tmp_path)
        assert run.returncode == 0, run.said
        jobs = planned_jobs(run.said)
        assert sum(rule == "train_variant" for rule, _ in jobs) == n_networks
        for figure in FIGURES + (OF_ONE_ARCHITECTURE if config == PAPER else ()):
            assert ("plot_figure", f"results/figures/{figure}.pdf") in jobs


def test_settings_for_table_2_plan_ten_networks_and_a_job_per_measure(tmp_path):
    run = snakemake(
        *("-n", "figure_layers", "--configfile", ROOT / "config/cifar10.yaml"), folder=tmp_path
    )
    assert run.returncode == 0, run.said
    jobs = [rule for rule, _ in planned_jobs(run.said)]
    assert jobs.count("train_network") == 10
    assert jobs.count("match_layers") == 14
