"""Small arrays are computed with one thread, because more would only wait for each other."""

import numpy as np
import pytest
import torch

import scorebounds as sb
from scorebounds.measures.base import Measure


@pytest.fixture
def threads():
    """The numbers of threads that scores were computed with; two are set."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def used(monkeypatch):
    numbers = []
    against = Measure.against

    def watched(self, *args):
        numbers.append(torch.get_num_threads())
        return against(self, *args)

    monkeypatch.setattr(Measure, "against", watched)
    return numbers


def draw(n_samples=30, width=5):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n_samples, width))
    return x, x + rng.normal(size=x.shape)


CALLS = {
    "score": lambda x, y: sb.score(x, y),
    "scores": lambda x, y: sb.scores(x, y, ["cka"]),
    "card": lambda x, y: sb.card(x, y, ["cka"], n_permutations=19),
    "ranges": lambda x, y: sb.ranges(x[:12, :3], "linreg", "cka"),
    "compare": lambda x, y: sb.compare(x, {"a": y, "b": x}, ["cka"]),
}


@pytest.mark.parametrize("call", CALLS)
def test_small_arrays_use_one_thread_and_the_number_is_restored(call, threads, used):
    CALLS[call](*draw())
    assert set(used) == {1}
    assert torch.get_num_threads() == 2


def test_the_number_is_restored_after_an_error(threads):
    x, _ = draw()
    with pytest.raises(ValueError, match="varies over samples"):
        sb.score(x, np.ones_like(x))
    assert torch.get_num_threads() == 2


def test_large_arrays_keep_their_threads(threads, used):
    sb.score(*draw(n_samples=600, width=200))
    assert set(used) == {2}


def test_scores_do_not_depend_on_the_number_of_threads(threads, monkeypatch):
    x, y = draw(60, 20)
    names = ["cka", "procrustes_angular", "linreg", "ridge_cv_tuned", "svcca"]
    one = sb.scores(x, y, names).score
    monkeypatch.setattr("scorebounds.analyses.threads.FEW_MULTIPLICATIONS", 0)
    two = sb.scores(x, y, names).score
    np.testing.assert_allclose(one, two, rtol=1e-12)
