"""A job that certainly does not fit into memory is refused before it begins."""

import weakref

import pytest
import torch

from helpers.workflow import ROOT, snakemake
from scorebounds.core import memory
from scorebounds.core.memory import free_mb, parts_at_once, require_memory
from scorebounds.measures import registry
from scorebounds.measures.base import Measure

LIMIT = {"memory_limit": 2000}


def test_a_job_is_refused_from_four_times_the_limit_with_both_figures():
    require_memory({"mem_mb": 8000}, LIMIT)
    expected = r"at least 2001 MB for this job, .* 8004 MB that it requests, got 2000 MB"
    with pytest.raises(MemoryError, match=expected):
        require_memory({"mem_mb": 8004}, LIMIT)


def test_a_later_attempt_is_compared_by_its_first_request():
    require_memory({"mem_mb": 3 * 8000, "attempt": 3}, LIMIT)
    with pytest.raises(MemoryError, match="a quarter of the 8004 MB that it requests"):
        require_memory({"mem_mb": 2 * 8004, "attempt": 2}, LIMIT)


def test_a_job_of_parts_has_to_fit_one_of_them():
    require_memory({"mem_mb": 40_000}, LIMIT, n_parts=5)
    with pytest.raises(MemoryError, match=r"at least 2002 MB .* to compute 5 parts at once, got"):
        require_memory({"mem_mb": 40_040}, LIMIT, n_parts=5)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [(900, 5), (2000, 5), (2600, 3), (8000, 1), (80_000, 1), (None, 5)],
)
def test_as_many_parts_are_computed_at_once_as_fit(request_, expected):
    assert parts_at_once({"mem_mb": request_}, LIMIT, 5) == expected
    doubled = request_ and 2 * request_
    assert parts_at_once({"mem_mb": doubled, "attempt": 2}, LIMIT, 5) == expected


def test_the_default_is_the_free_memory(monkeypatch):
    monkeypatch.setattr(memory, "free_mb", lambda: 500.0)
    require_memory({"mem_mb": 2000}, {"memory_limit": 0})
    with pytest.raises(MemoryError, match=r"got 500 MB \(free memory\)"):
        require_memory({"mem_mb": 2100}, {})


@pytest.mark.parametrize("request_mb", [memory.FLOOR_MB, "<TBD>", None])
def test_a_floor_and_an_unknown_request_are_not_compared(request_mb):
    assert require_memory({"mem_mb": request_mb}, {"memory_limit": 1}) is None
    with pytest.raises(MemoryError):
        require_memory({"mem_mb": memory.FLOOR_MB + 1}, {"memory_limit": 1})


def test_the_limit_of_a_control_group_counts(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "CONTROL_GROUP", tmp_path)
    (tmp_path / "memory.current").write_text("1000000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert free_mb() > 10
    (tmp_path / "memory.max").write_text("11000000\n")
    assert free_mb() == 10


def test_a_job_of_the_workflow_ends_with_the_sentence(tmp_path):
    told = ("--config", "memory_limit=1", "--set-resources", "describe_measures:mem_mb=40000")
    target = "results/tables/measures.csv"
    ran = snakemake(target, "--cores", 1, *told, folder=tmp_path, root=ROOT)
    assert ran.returncode != 0
    sentence = "error: out of memory: expected at least 10000 MB for this job"
    assert [line for line in ran.said.splitlines() if line.strip().startswith(sentence)], ran.said
    assert not (tmp_path / target).exists()


@pytest.mark.parametrize("name", ["cka", "ridge_cv_100"])
def test_of_many_neurons_one_choice_is_in_memory_at_a_time(monkeypatch, name):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(10, 40, generator=generator, dtype=torch.float64)
    y = torch.randn(10, 4, generator=generator, dtype=torch.float64)
    choices = [torch.randperm(40, generator=generator)[:30] for _ in range(8)]
    prepare, alive, most = Measure.prepared, weakref.WeakSet(), []

    def counted(*arguments):
        prepared = prepare(*arguments)
        alive.add(prepared)
        most.append(len(alive))
        return prepared

    monkeypatch.setattr(Measure, "prepared", counted)
    measure = registry.load(name)
    scores = measure.of_neurons(x, y, choices)
    # Y, a choice, and the next one.
    assert max(most) <= 3
    alone = [measure.score(x[:, choice], y).item() for choice in choices]
    assert scores == pytest.approx(alone, abs=1e-12)
