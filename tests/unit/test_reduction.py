"""Recordings and models that an entry reduces to their leading principal components."""

import numpy as np
import pytest

import scorebounds as sb
from scorebounds.datasets.readers import custom


@pytest.fixture
def path(tmp_path):
    rng = np.random.default_rng(0)
    trials = rng.normal(size=(40, 30)) * np.sqrt(1 / np.arange(1, 31)) + 5
    file = tmp_path / "rates.npz"
    np.savez(file, activity=trials, image=np.repeat([f"a{i}" for i in range(10)], 4))
    return file


def spectrum(values):
    flat = values.reshape(-1, values.shape[-1])
    return np.linalg.svd(flat - flat.mean(0), compute_uv=False) ** 2


def test_the_leading_components_replace_the_neurons(path):
    whole, part = custom.load(path), custom.load(path, components=7)
    assert part.shape == (40, 7)
    assert spectrum(part.values) == pytest.approx(spectrum(whole.values)[:7])
    products = [side.values - side.values.mean(0) for side in (whole, part)]
    left, values, _ = np.linalg.svd(products[0], full_matrices=False)
    truncated = (left[:, :7] * values[:7] ** 2) @ left[:, :7].T
    assert products[1] @ products[1].T == pytest.approx(truncated)
    share = spectrum(whole.values)[:7].sum() / spectrum(whole.values).sum()
    said = f"30 neurons were reduced to 7 leading principal components, which hold {share:.1%}"
    assert said in part.attrs["reduced"]
    assert part.attrs["history"].splitlines()[-1] == part.attrs["reduced"]
    assert whole.attrs["reduced"] == ""


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_a_share_takes_the_fewest_components_that_hold_it(path, share):
    eigenvalues = spectrum(custom.load(path).values)
    number = custom.load(path, components=share).shape[1]
    held = np.cumsum(eigenvalues) / eigenvalues.sum()
    assert held[number - 1] >= share > (held[number - 2] if number > 1 else 0)


def test_components_are_those_of_averages_and_halves_follow(path):
    entry = {"labels": ["image"], "average_by": ["image"]}
    whole = custom.load(path, **entry)
    part = custom.load(path, **entry, components=4)
    halves = [part[name].values for name in ("__first_half__", "__second_half__")]
    assert part.shape == (10, 4)
    assert np.mean(halves, axis=0) == pytest.approx(part.values)
    original = [whole[name].values for name in ("__first_half__", "__second_half__")]
    axes = np.linalg.svd(whole.values - whole.values.mean(0), full_matrices=False)[2][:4].T
    for half, before in zip(halves, original, strict=True):
        projected = (before - whole.values.mean(0)) @ axes
        assert np.abs(half) == pytest.approx(np.abs(projected))


@pytest.mark.parametrize("components", [31, 0])
def test_more_components_than_dimensions_are_refused(path, components):
    with pytest.raises(ValueError, match="expected `components` of at most 30, the dimensions"):
        custom.load(path, components=components)


def test_missing_values_are_refused_with_the_remedy(tmp_path):
    values = np.random.default_rng(1).normal(size=(20, 5))
    values[3, 2] = np.nan
    np.savez(tmp_path / "holed.npz", activity=values)
    with pytest.raises(ValueError, match=r"drop: \[missing_neurons\]"):
        custom.load(tmp_path / "holed.npz", components=2)
    assert custom.load(tmp_path / "holed.npz", components=2, drop=["missing_neurons"]).shape[1] == 2


def test_the_card_of_a_reduced_recording_states_it_and_has_capture(path):
    x = sb.read(path, components=5)
    rng = np.random.default_rng(2)
    model = x.values + 0.2 * rng.normal(size=x.shape)
    card = sb.card(x, model, ["cka"], n_permutations=39)
    assert "of the recording, 30 neurons were reduced to 5" in card.table.match_note[0]
    assert set(card.replicates.left_out) == {"conditions", "two of conditions"}
    assert np.isfinite(card.table.score_low[0])
    of_model = sb.card(model, x, ["cka"], n_permutations=39)
    assert "of the model, 30 neurons were reduced to 5" in of_model.table.match_note[0]
    assert "neurons" in set(of_model.replicates.left_out)
