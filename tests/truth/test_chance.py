"""Cards of unrelated data say "better than chance" in 5 % of the draws of every world."""

import numpy as np
import pytest

from helpers import rates
from helpers.worlds import most_by_chance, n_draws

N_DRAWS = n_draws(10)
DRIFTING = ("two random walks", "a slow drift of both")


@pytest.fixture(scope="module")
def of_worlds():
    return {
        name: rates.counts(rates.cards_of(world, N_DRAWS, number))
        for number, (name, world) in enumerate(rates.UNRELATED.items())
    }


@pytest.mark.parametrize("world", rates.UNRELATED)
def test_unrelated_models_are_better_than_chance_in_five_percent_of_cards(of_worlds, world):
    """A card counts where any of its measures says so."""
    assert of_worlds[world]["better"] <= most_by_chance(N_DRAWS, 0.05)
    assert of_worlds[world]["perfect"] == 0


def test_so_they_are_over_all_worlds(of_worlds):
    better = sum(found["better"] for found in of_worlds.values())
    assert better <= most_by_chance(N_DRAWS * len(of_worlds), 0.05)


def test_a_verdict_is_withheld_only_where_rows_follow_each_other(of_worlds):
    without = {name for name, found in of_worlds.items() if found["none"]}
    assert without <= {name for name in rates.UNRELATED if "rows" in name} | {*DRIFTING}
    for name in DRIFTING:
        assert of_worlds[name]["none"] > 0.9 * N_DRAWS


@pytest.mark.parametrize("world", rates.RELATED)
def test_related_models_are_found(world):
    found = rates.counts(rates.cards_of(rates.RELATED[world], 5, 100))
    assert found["better"] >= 4
    assert found["perfect"] == 0


def test_with_twenty_orders_an_error_of_five_percent_is_possible():
    """The worlds could show errors: the smallest p is the level of the test."""
    (card,) = rates.cards_of(rates.narrow, 1, 0)
    assert np.allclose(card.smallest_p, 0.05)
