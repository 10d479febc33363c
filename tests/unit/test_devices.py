"""What runs on a GPU makes its tensors there, and agrees with what the processor finds."""

import contextlib
import functools
import pickle

import numpy as np
import pytest
import torch
from torch.overrides import TorchFunctionMode

from scorebounds.core.devices import chosen_device
from scorebounds.measures import products, registry
from scorebounds.optimization.optimize import optimize, starting_points
from scorebounds.optimization.perturbation import perturb_components
from scorebounds.ranges import problem
from scorebounds.ranges.region import pair_range
from scorebounds.scorecards.explained import explained_components
from scorebounds.scorecards.inference import score_model
from scorebounds.scorecards.matched import Matched
from scorebounds.scorecards.resampling import ResamplingSettings

FACTORIES = {
    torch.zeros,
    torch.ones,
    torch.empty,
    torch.full,
    torch.eye,
    torch.arange,
    torch.linspace,
    torch.logspace,
    torch.tensor,
    torch.as_tensor,
    torch.rand,
    torch.randn,
    torch.randint,
    torch.randperm,
    torch.scalar_tensor,
    torch.tril_indices,
    torch.triu_indices,
}
SETTINGS = {"stop_score": 0.95, "max_steps": 30, "learning_rate": 0.1, "n_checkpoints": 3}
MEASURES = [
    "cka",
    "cka_angular",
    "cka_debiased",
    "nbs",
    "procrustes_angular",
    "procrustes_distance",
    "linreg",
    "linreg_cv",
    "ridge_10",
    "ridge_cv_1",
    "rsa_correlation_pearson",
    "svcca",
    "cca",
    "rsa_euclidean_cosine",
    "pwcca",
    "cka_rbf_0.4",
]
PAIRS = [("cka", "nbs"), ("linreg", "procrustes_angular"), ("ridge_cv_1", "procrustes_angular")]
RANGES = {
    "reference_level": 0.9,
    "n_kept": 5,
    "certificate": {"tolerance": 0.01, "n_values": 3},
    "joint": {"x": "fixed", "n_targets": 8, "max_steps": 10, "learning_rate": 0.1},
    "reduced": {"n_grid": 5, "n_starts": 3, "n_rounds": 3, "n_steps": 5, "n_passes": 1},
    "full": {"n_grid": 3, "n_starts": 2, "n_rounds": 2, "n_steps": 3, "n_passes": 1},
}
# Every step of a search once or twice: enough to see where its tensors are.
SHORT = {
    **RANGES,
    "joint": {**RANGES["joint"], "n_targets": 2, "max_steps": 2},
    "reduced": {"n_grid": 3, "n_starts": 1, "n_rounds": 1, "n_steps": 2, "n_passes": 1},
    "full": {"n_grid": 3, "n_starts": 1, "n_rounds": 1, "n_steps": 2, "n_passes": 1},
}


class PretendedDevice(TorchFunctionMode):
    """Lets the processor pass for a GPU: what would fail or wait on one fails here.

    A tensor that is made without `device=` (or drawn from a generator, or taken from NumPy) is the
    host's, and is computed with others of the host only, or moved; one of the device becomes an
    array by `.cpu()` only. One that is made or moved by the name of a device may be on either.
    """

    def __init__(self):
        super().__init__()
        # By identity; kept alive, so that no other tensor gets the same.
        self.of_host, self.of_either = {}, {}

    def is_of_host(self, value):
        return id(value) in self.of_host

    def is_of_either(self, value):
        return id(value) in self.of_either

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func in FACTORIES and kwargs.get("device") is None:
            assert kwargs.get("generator") is not None, f"{func.__name__} without device="
            return self.host(func(*args, **kwargs))
        if func in FACTORIES:
            return self.either(func(*args, **kwargs))
        name = getattr(func, "__name__", "")
        if name in ("numpy", "__array__"):
            assert self.is_of_host(args[0]), "an array of a tensor on the device"
            return func(*args, **kwargs)
        if name == "cpu":
            return self.host(func(*args, **kwargs).clone())
        if name in ("to", "type_as"):
            moved, target = func(*args, **kwargs).clone(), [*args[1:], *kwargs.values()]
            if any(self.is_of_host(one) for one in target):
                return self.host(moved)
            by_name = any(isinstance(one, torch.device | str) for one in target)
            return self.either(moved) if by_name else moved
        inputs = [*args, *kwargs.values()]
        flat = [
            each for one in inputs for each in (one if isinstance(one, list | tuple) else [one])
        ]
        tensors = [one for one in flat if isinstance(one, torch.Tensor)]
        on_host = [self.is_of_host(one) for one in tensors if not self.is_of_either(one)]
        result = func(*args, **kwargs)
        if on_host and not any(on_host):
            return result
        assert all(on_host), f"{name} of tensors on the device and on the host"
        for one in result if isinstance(result, list | tuple) else [result]:
            if tensors and isinstance(one, torch.Tensor):
                self.host(one) if on_host else self.either(one)
        return result

    def host(self, tensor):
        self.of_host[id(tensor)] = tensor
        self.of_either.pop(id(tensor), None)
        return tensor

    def either(self, tensor):
        self.of_either[id(tensor)] = tensor
        return tensor


@contextlib.contextmanager
def pretended_device(monkeypatch):
    mode, from_numpy = PretendedDevice(), torch.from_numpy
    by_numpy = products.product_by_numpy

    def product_on_device(a, b):
        # A GPU's product is PyTorch's, which would round in another way than NumPy's.
        with torch._C.DisableTorchFunction():
            product = by_numpy(a, b)
        mode.of_host.pop(id(product))
        return mode.host(product) if mode.is_of_host(a) else product

    with monkeypatch.context() as patch, mode:
        patch.setattr(torch, "from_numpy", lambda array: mode.host(from_numpy(array).clone()))
        patch.setattr(products, "product_by_numpy", product_on_device)
        yield mode


def recording(n_samples=24, n_neurons=5):
    values = np.random.default_rng(0).normal(size=(n_samples, n_neurons))
    return torch.from_numpy(values * [3, 2, 1, 0.5, 0.2][:n_neurons])


def optimized(x, measure):
    starts = starting_points(tuple(x.shape), 0, ("made up", measure), 2).to(x.device)
    trajectories, components = optimize(x, registry.load(measure), starts, **SETTINGS)
    return trajectories, components.variance_ratio.cpu().numpy()


@pytest.mark.parametrize("measure", MEASURES)
def test_optimisation_stays_on_the_device(measure, monkeypatch):
    x = recording()
    starts = starting_points(tuple(x.shape), 0, ("made up", measure), 2)
    expected, _ = optimize(x, registry.load(measure), starts, **SETTINGS)
    with pretended_device(monkeypatch):
        found, _ = optimize(x, registry.load(measure), starts, **SETTINGS)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.score == theirs.score


@functools.cache
def known_bounds(function, arguments):
    names, options = pickle.loads(arguments)
    return function(*names, **options)


def remember(monkeypatch, module, name):
    """Let a function of NumPy arrays compute a result once for all tests."""
    function = getattr(module, name)
    monkeypatch.setattr(
        module,
        name,
        lambda *names, **options: known_bounds(function, pickle.dumps((names, options))),
    )


@pytest.mark.parametrize("moving", ["fixed", "free"])
@pytest.mark.parametrize("pair", PAIRS)
def test_ranges_keep_to_the_device(pair, moving, monkeypatch):
    remember(monkeypatch, problem, "certified_range")
    remember(monkeypatch, problem, "outer_range")
    x = recording()
    settings = {**SHORT, "joint": {**SHORT["joint"], "x": moving}}
    expected = pair_range(x, pair, "made up", seed=0, settings=settings)
    with pretended_device(monkeypatch):
        found = pair_range(x, pair, "made up", seed=0, settings=settings)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.equals(theirs)


def test_score_cards_keep_to_the_device(monkeypatch):
    x = recording().numpy()[None]
    y = x @ np.random.default_rng(1).normal(size=(x.shape[-1], 3))
    matched = Matched(x, y + x[..., :3], np.arange(x.shape[1]))
    names, settings = ["cka", "nbs", "ridge_cv_1", "svcca"], ResamplingSettings(19, 5, 0)
    expected = *score_model(matched, names, settings), explained_components(matched)
    with pretended_device(monkeypatch):
        found = *score_model(matched, names, settings), explained_components(matched)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.equals(theirs)


def test_perturbation_keeps_to_the_device(monkeypatch):
    x = recording()
    expected = perturb_components(x, "made up", ["cka", "nbs"], [1, 2])
    with pretended_device(monkeypatch):
        found = perturb_components(x, "made up", ["cka", "nbs"], [1, 2])
    assert found.equals(expected)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: x + torch.zeros(x.shape),
        lambda x: x + torch.randn(x.shape, generator=torch.Generator(), dtype=x.dtype),
        lambda x: x + torch.from_numpy(np.zeros(x.shape)),
        lambda x: x.numpy(),
        lambda x: x * x.cpu(),
    ],
)
def test_pretended_device_finds_what_a_gpu_would(wrong, monkeypatch):
    x = recording()
    with pretended_device(monkeypatch), pytest.raises(AssertionError):
        wrong(x)


def test_device_of_the_settings(monkeypatch):
    for seen, name, expected in (
        (False, "cpu", "cpu"),
        (True, "cpu", "cpu"),
        (False, "auto", "cpu"),
        (True, "auto", "cuda"),
        (True, "cuda", "cuda"),
    ):
        monkeypatch.setattr(torch.cuda, "is_available", lambda seen=seen: seen)
        assert chosen_device(name).type == expected
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=r"config, device: expected a GPU .* found none"):
        chosen_device("cuda")


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU of NVIDIA")


@needs_gpu
@pytest.mark.parametrize("measure", MEASURES)
def test_optimisation_on_a_gpu_equals_that_on_the_cpu(measure):
    x = recording()
    expected, _ = optimized(x, measure)
    found, _ = optimized(x.cuda(), measure)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.score == pytest.approx(theirs.score, rel=1e-6, abs=1e-8)


@needs_gpu
@pytest.mark.parametrize("pair", PAIRS)
def test_gpu_finds_the_ranges_of_the_processor(pair):
    x = recording()
    expected = pair_range(x, pair, "made up", seed=0, settings=RANGES).region
    found = pair_range(x.cuda(), pair, "made up", seed=0, settings=RANGES).region
    for column in ("outer_lower", "outer_upper"):
        assert found[column].to_numpy() == pytest.approx(expected[column], abs=1e-9, nan_ok=True)
    # By rounding, a search may reach a value on one of them only.
    for column in ("attained_lower", "attained_upper"):
        reached = found[column].notna() & expected[column].notna()
        assert reached.sum() >= 2
        assert found[column][reached].to_numpy() == pytest.approx(
            expected[column][reached].to_numpy(), abs=1e-4
        )
