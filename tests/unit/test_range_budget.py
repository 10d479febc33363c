"""The work of `sb.bounds` stays within its budget, counted apart from what the code counts."""

import numpy as np
import pytest

from scorebounds.ranges import certificate_lower, certificate_upper
from scorebounds.ranges.certificate_lower import LowerDual
from scorebounds.ranges.proven import proven_bounds
from scorebounds.ranges.reach_lower import reach_lower

BUDGET = 4e7
# What a call costs beyond its terms, in terms.
CALL = 2000
NUMBERS = np.arange(1, 101)
# A certificate of many small cells, and problems in which searches are most of the work.
SLOW = {
    "geometric, CKA": (np.exp(-NUMBERS / 3), "cka", 0.83, 100),
    "one large, NBS": (np.append(100, np.linspace(1, 0.5, 99)), "nbs", 0.5, 1079),
    "many components, CKA": (1 / np.arange(1, 501), "cka", 0.5, 1079),
}


@pytest.mark.parametrize("name", SLOW)
def test_work_stays_within_the_budget(name, monkeypatch):
    spectrum, measure, score, rank = SLOW[name]
    done = 0.0

    def counted(extreme):
        def counting(*arguments):
            nonlocal done
            result = extreme(*arguments)
            done += CALL + result[0].size
            return result

        return counting

    for module, extremes in (
        (certificate_lower, ("smallest_terms",)),
        (certificate_upper, ("largest_between", "largest_terms")),
    ):
        for extreme in extremes:
            monkeypatch.setattr(module, extreme, counted(getattr(module, extreme)))
    loose = proven_bounds(spectrum, measure, score, rank=rank, most_terms=0)
    assert done == 0
    table = proven_bounds(spectrum, measure, score, rank=rank, most_terms=BUDGET)
    assert done <= 1.05 * BUDGET
    assert (table.low.fillna(0) >= loose.low.fillna(0)).all()
    assert (table.high.fillna(1) <= loose.high.fillna(1)).all()


@pytest.mark.parametrize(("before", "cka"), [(0.998, 0.9983), (0.1, 0.11)])
def test_the_smallest_nbs_is_found_again_from_a_similar_cka(before, cka):
    spectrum = 1 / NUMBERS[:40]
    spectrum /= spectrum.sum()
    near = reach_lower(LowerDual(spectrum, before, 200))
    found = reach_lower(LowerDual(spectrum, cka, 200), near)
    assert found.score == pytest.approx(reach_lower(LowerDual(spectrum, cka, 200)).score, abs=1e-3)
