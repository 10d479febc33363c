"""Networks of several architectures are trained, compared and drawn in a run."""

import pandas as pd
import yaml

from helpers.workflow import ROOT, planned_jobs, snakemake

SMALL = {
    "analyses": ["architectures"],
    "datasets": ["ultrametric"],
    "models": {},
    "architectures": {"widths": [0.25], "depths": [1], "residual_blocks": []},
    "layers": {"n_images": 60, "training": {"n_steps": 2}},
}


def test_architectures_are_trained_compared_and_drawn(tmp_path):
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(SMALL))
    target = "results/figures/widths.pdf"
    run = snakemake(target, "--cores", 2, "--configfile", "small.yaml", folder=tmp_path)
    assert run.returncode == 0, run.said
    folder = tmp_path / "results/architectures"
    maps, probes = (pd.read_csv(folder / f"{name}.csv") for name in ("maps", "probes"))
    assert len(maps) == 81
    assert set(probes.network) == {"tiny-1x1", "tiny-0.25x1"}
    assert set(probes.number) == {1, 2}
    assert (tmp_path / target).is_file()


def test_settings_of_the_paper_plan_all_networks_and_figures(tmp_path):
    config = ROOT / "config/kornblith.yaml"
    run = snakemake("-n", "--configfile", config, folder=tmp_path)
    assert run.returncode == 0, run.said
    jobs = planned_jobs(run.said)
    assert sum(rule == "train_variant" for rule, _ in jobs) == 18
    for figure in ("depths", "residual", "widths"):
        assert ("plot_figure", f"results/figures/{figure}.pdf") in jobs
