"""The batched decoders are scikit-learn's, and chance is chance."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, StratifiedKFold
from sklearn.preprocessing import StandardScaler

from helpers.workflow import ROOT
from scorebounds.core.recording import recording, samples_by_neurons
from scorebounds.datasets import loaders
from scorebounds.decoding import decoder as decoding_solver
from scorebounds.decoding import logistic
from scorebounds.decoding import reference as decoding_reference
from scorebounds.decoding.decoder import Decoder, decode, null_accuracy, predict, solve
from scorebounds.decoding.design import design, group_folds, stratified_folds, variance_share
from scorebounds.decoding.reference import accuracy_table
from scorebounds.measures import registry
from scorebounds.optimization.optimize import optimize, starting_points

N_FOLDS = 5
KINDS = ["tall", "wide", "very wide", "nearly separable"]
DECODER = Decoder(c=1.0, standardize=True)


def labelled_data(kind, n_classes, seed=0):
    """Draw activity (3, n, p) and classes (2, n): two labellings of three datasets."""
    rng = np.random.default_rng(seed)
    n, p = {"wide": (60, 90), "very wide": (60, 200)}.get(kind, (120, 20))
    classes = np.stack([rng.permutation(np.arange(n) % n_classes) for _ in range(2)])
    activity = rng.standard_normal((3, n, p))
    strength = 4.0 if kind == "nearly separable" else 0.8
    activity += strength * rng.standard_normal((3, n_classes, p))[:, classes[0]]
    if kind == "ill-conditioned":
        # Units from millivolts to kilohertz, neurons that repeat each other, one that is silent.
        activity[..., 1] = activity[..., 0] + 1e-6 * activity[..., 1]
        activity *= 10.0 ** np.linspace(-3, 3, p)
        activity += 1e3
        activity[..., -1] = 7.0
    return activity, classes, stratified_folds(rng, classes[0], N_FOLDS)


def sklearn_fits(activity, classes, folds, decoder, *, tol=1e-4):
    """Return scikit-learn's models and predictions, a fit per dataset, fold and labelling."""
    models, predicted = {}, np.empty((len(activity), N_FOLDS, *classes.shape), dtype=int)
    for b, f, t in np.ndindex(predicted.shape[:3]):
        train = folds != f
        scaler = StandardScaler(with_std=decoder.standardize).fit(activity[b, train])
        model = LogisticRegression(C=decoder.c, tol=tol, max_iter=20000)
        model.fit(scaler.transform(activity[b, train]), classes[t, train])
        models[b, f, t] = model
        predicted[b, f, t] = model.predict(scaler.transform(activity[b]))
    return models, predicted


# Without a common scale scikit-learn itself does not converge on ill-conditioned data.
@pytest.mark.parametrize(
    ("kind", "standardize"),
    [("ill-conditioned", True), *itertools.product(KINDS, [True, False])],
)
@pytest.mark.parametrize("n_classes", [2, 4])
def test_predicts_as_scikit_learn(kind, n_classes, standardize):
    activity, classes, folds = labelled_data(kind, n_classes)
    decoder = Decoder(c=1.0, standardize=standardize)
    ours = predict(
        torch.from_numpy(activity),
        torch.from_numpy(classes),
        n_classes,
        torch.from_numpy(folds),
        decoder,
    ).numpy()
    _, theirs = sklearn_fits(activity, classes, folds, decoder)
    held_out = np.broadcast_to((folds == np.arange(N_FOLDS)[:, None])[None, :, None], ours.shape)
    assert held_out.sum() == activity.shape[0] * activity.shape[1] * len(classes)
    assert (ours == theirs)[held_out].mean() >= 0.995
    assert 0.2 < (ours == classes)[held_out].mean() <= 1


@pytest.mark.parametrize("c", [0.1, 1.0])
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_coefficients_are_those_of_scikit_learn(kind, n_classes, c):
    activity, classes, folds = labelled_data(kind, n_classes)
    activity, classes = activity[:2], classes[:1]
    decoder = Decoder(c=c, standardize=True)
    training = torch.from_numpy(folds != np.arange(N_FOLDS)[:, None])
    problems = decoding_solver._shared_problems(torch.from_numpy(activity), training, decoder)
    problems = problems._replace(classes=torch.from_numpy(classes), n_classes=n_classes)
    weights = solve(problems, c)
    models, _ = sklearn_fits(activity, classes, folds, decoder, tol=1e-9)
    for (b, f, t), model in models.items():
        assert weights[b, f, t, :, :-1].numpy() == pytest.approx(model.coef_, abs=1e-3)
        # Of features centred on the training fold; a softmax does not see a shift of all classes.
        ours, theirs = weights[b, f, t, :, -1].numpy(), model.intercept_
        if n_classes > 2:
            ours, theirs = ours - ours.mean(), theirs - theirs.mean()
        assert ours == pytest.approx(theirs, abs=3e-3)


def test_reduced_problem_has_the_same_predictions():
    activity, classes, folds = (torch.from_numpy(a) for a in labelled_data("very wide", 4))
    training = folds != torch.arange(N_FOLDS)[:, None]
    linear = []
    for build in (decoding_solver._shared_problems, decoding_solver._reduced_problems):
        problems = build(activity, training, DECODER)
        problems = problems._replace(classes=classes, n_classes=4)
        assert problems.features.shape[-1] == (
            200 if build is decoding_solver._shared_problems else 48
        )
        linear.append(logistic.logits(problems, logistic.fit(problems, 1.0, 1e-8)))
    assert linear[1].reshape(linear[0].shape) == pytest.approx(linear[0], abs=1e-6)


def in_time(n_times=4, n_conditions=60, n_neurons=12, seed=0):
    rng = np.random.default_rng(seed)
    stimulus = np.repeat(["a", "b", "c"], n_conditions // 3)
    choice = np.arange(n_conditions) % 2
    activity = rng.standard_normal((n_times, n_conditions, n_neurons))
    activity[:, stimulus == "b", 0] += 2
    activity[2:, choice == 1, 1] += 3
    array = recording(activity, {"stimulus": stimulus, "choice": choice})
    return array.assign_attrs(dataset="made")


def test_results_do_not_depend_on_the_size_of_chunks(monkeypatch):
    array = in_time()
    plan = design(array, n_folds=N_FOLDS, seed=0)
    rng = np.random.default_rng(1)
    flat = array.values.reshape(-1, 12)
    batch = np.stack([flat + scale * rng.standard_normal(flat.shape) for scale in range(5)])
    decoder = DECODER
    together = decode(batch, plan, decoder)
    monkeypatch.setattr(decoding_solver, "CHUNK_BYTES", 1)
    for index, activity in enumerate(batch):
        alone = decode(activity[None], plan, decoder)
        for variable in ("stimulus", "choice"):
            assert alone[variable][0] == pytest.approx(together[variable][index], abs=1e-12)


def test_results_do_not_depend_on_how_many_shuffles_are_decoded_at_once(monkeypatch):
    array = in_time()
    plan = design(array, n_folds=N_FOLDS, seed=0)
    flat = array.values.reshape(-1, 12)
    together = null_accuracy(flat, plan, DECODER, n_permutations=7, seed=0)
    # Three labellings of three classes.
    monkeypatch.setattr(decoding_solver, "MAX_PREDICTORS", 3 * N_FOLDS * 3 * 60)
    parts = null_accuracy(flat, plan, DECODER, n_permutations=7, seed=0)
    for variable, expected in together.items():
        assert len(expected) == 7
        assert parts[variable] == pytest.approx(expected, abs=1e-12)


def test_blocks_of_checkpoints_give_the_same_table(monkeypatch):
    array = in_time()
    plan = design(array, n_folds=N_FOLDS, seed=0)
    rng = np.random.default_rng(1)
    kept = rng.standard_normal((7, 240, 12)).astype(np.float32)
    names = {f"checkpoint_{name}": ("checkpoint", np.arange(7)) for name in ("seed", "step")}
    stored = xr.Dataset(
        {
            **names,
            "checkpoint_score": ("checkpoint", np.linspace(0, 1, 7)),
            "checkpoint_activity": (("checkpoint", "sample", "neuron"), kept),
        },
        attrs={"dataset": "made", "measure": "cka"},
    )
    monkeypatch.setattr(decoding_solver, "CHUNK_BYTES", 2 * 4 * 60 * 12)
    together = accuracy_table(stored, plan, DECODER)
    assert len(together) == 14
    monkeypatch.setattr(decoding_reference, "BLOCK_BYTES", 2 * 4 * 240 * 12)
    pd.testing.assert_frame_equal(accuracy_table(stored, plan, DECODER), together)


def test_accuracy_at_each_time_is_the_mean_over_folds_of_scikit_learn():
    array = in_time()
    plan = design(array, n_folds=N_FOLDS, seed=0)
    found = decode(array.values.reshape(1, -1, 12), plan, DECODER)
    for variable, codes in plan.classes.items():
        folds, accuracies = plan.folds[variable], []
        for activity in array.values:
            _, predicted = sklearn_fits(activity[None], codes[None], folds, DECODER)
            correct = [
                (predicted[0, fold, 0] == codes)[folds == fold].mean() for fold in range(N_FOLDS)
            ]
            accuracies.append(np.mean(correct))
        assert found[variable].shape == (1, 4)
        assert found[variable][0] == pytest.approx(accuracies, abs=0.02)
        assert found[variable].mean() == pytest.approx(np.mean(accuracies), abs=0.005)


def test_shuffled_labels_decode_at_chance():
    array = in_time()
    flat = array.values.reshape(-1, 12)
    plan = design(array, n_folds=N_FOLDS, seed=0)
    null = null_accuracy(flat, plan, DECODER, n_permutations=60, seed=0)
    for variable in ("stimulus", "choice"):
        assert null[variable].shape == (60, 4)
        error = null[variable].mean(1).std() / np.sqrt(60)
        assert null[variable].mean() == pytest.approx(plan.chance(variable), abs=4 * error + 0.01)
    again = null_accuracy(flat, plan, DECODER, n_permutations=3, seed=0)
    assert (again["choice"] == null["choice"][:3]).all()
    assert decode(flat[None], plan, DECODER)["choice"].mean() > null["choice"].mean(1).max()


def test_noise_decodes_at_chance():
    rng = np.random.default_rng(0)
    array = in_time()
    noise = rng.standard_normal((40, 4 * 60, 12))
    found = decode(noise, design(array, n_folds=N_FOLDS, seed=0), DECODER)
    assert found["choice"].mean() == pytest.approx(1 / 2, abs=0.02)
    assert found["stimulus"].mean() == pytest.approx(1 / 3, abs=0.02)


@pytest.mark.parametrize(
    ("name", "lowest", "highest"), [("cka", 0.4, 0.6), ("procrustes_angular", 0.9, 1.0)]
)
def test_data_with_a_cka_of_95_need_not_contain_the_context(name, lowest, highest):
    """Ground truth is known: context carries 1 % of the variance, and is decoded at 0.99."""
    settings = yaml.safe_load((ROOT / "config.yaml").read_text())["simulated-pfc"]
    array = loaders.load("simulated-pfc", [], seed=0, settings=settings, custom=False)
    x = torch.from_numpy(samples_by_neurons(array))
    trajectories, _ = optimize(
        x,
        registry.load(name),
        starting_points(x.shape, 0, ("simulated-pfc", name), 2),
        stop_score=0.95,
        max_steps=500,
        learning_rate=0.1,
        n_checkpoints=0,
    )
    assert all(trajectory.score[-1] >= 0.95 for trajectory in trajectories)
    final = np.stack([x.numpy(), *(trajectory.final for trajectory in trajectories)])
    plan = design(array.assign_attrs(dataset="simulated-pfc"), n_folds=N_FOLDS, seed=0)
    reference, *accuracies = decode(final, plan, DECODER)["context"].mean(1)
    assert reference > 0.97
    assert all(lowest <= accuracy <= highest for accuracy in accuracies)


# --- folds


def test_folds_are_stratified_and_balanced():
    codes = np.array([0] * 13 + [1] * 27 + [2] * 7)
    folds = stratified_folds(np.random.default_rng(0), codes, N_FOLDS)
    assert np.ptp(np.bincount(folds)) <= 1
    for code in range(3):
        assert np.ptp(np.bincount(folds[codes == code], minlength=N_FOLDS)) <= 1
    # As balanced as scikit-learn's.
    theirs = StratifiedKFold(N_FOLDS).split(codes, codes)
    assert sorted(np.bincount(folds)) == sorted(len(held_out) for _, held_out in theirs)


def test_variables_share_folds_where_their_combinations_allow():
    shared = design(in_time(), n_folds=N_FOLDS, seed=0)
    assert (shared.folds["stimulus"] == shared.folds["choice"]).all()
    again = design(in_time(), n_folds=N_FOLDS, seed=0)
    assert (again.folds["choice"] == shared.folds["choice"]).all()
    other = design(in_time(), n_folds=N_FOLDS, seed=1)
    assert (other.folds["choice"] != shared.folds["choice"]).any()
    few = design(in_time(n_conditions=24), n_folds=N_FOLDS, seed=0)
    assert (few.folds["stimulus"] != few.folds["choice"]).any()


def test_whole_conditions_are_held_out_one_decoder_per_time():
    plan = design(in_time().assign_attrs(decode_from=None), n_folds=N_FOLDS, seed=0)
    assert plan.over == "conditions"
    assert plan.samples.tolist() == np.arange(4 * 60).reshape(4, 60).tolist()


def test_times_before_decode_from_are_left_out():
    array = in_time().assign_coords(time=[-20, -10, 0, 10]).assign_attrs(decode_from=0)
    assert design(array, n_folds=N_FOLDS, seed=0).samples.shape == (2, 60)
    assert design(array, n_folds=N_FOLDS, seed=0).samples[0, 0] == 2 * 60


def test_averages_of_one_condition_a_class_are_decoded_over_blocks_of_time():
    rng = np.random.default_rng(0)
    target = np.array(["left", "right", "up"])
    activity = rng.standard_normal((23, 3, 6)) + 3 * np.eye(3, 6)
    array = recording(activity, {"target": target}).assign_attrs(dataset="averages")
    plan = design(array, n_folds=N_FOLDS, seed=0)
    assert plan.over == "times"
    assert plan.samples.shape == (1, 69)
    by_time = plan.folds["target"].reshape(23, 3)
    assert (by_time == by_time[:, :1]).all()
    assert (np.diff(by_time[:, 0]) >= 0).all()
    assert np.ptp(np.bincount(by_time[:, 0])) <= 1
    assert decode(activity.reshape(1, -1, 6), plan, DECODER)["target"][0, 0] > 0.9
    null = null_accuracy(activity.reshape(-1, 6), plan, DECODER, n_permutations=40, seed=0)
    assert null["target"].mean() == pytest.approx(1 / 3, abs=0.08)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda a: a.assign_coords(choice=("condition", np.ones(60))),
            "made, variable 'choice': expected at least two classes, got only 1.0",
        ),
        (
            lambda a: a.assign_coords(choice=("condition", np.arange(60) // 57)),
            "made, variable 'choice': expected at least 5 conditions of each class, one for each "
            "fold, got 3 of 1; to decode other variables",
        ),
        (
            lambda a: (
                a.isel(condition=[0, 59])
                .assign_coords(choice=("condition", [0, 1]))
                .assign_attrs(dataset="made")
            ),
            "made: expected at least 5 times, one for each fold, to decode stimulus, choice",
        ),
    ],
)
def test_variables_that_cannot_be_decoded_are_refused_by_name(change, message):
    with pytest.raises(ValueError) as error:
        design(change(in_time()), n_folds=N_FOLDS, seed=0)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_label_with_one_sample_per_class_is_refused():
    array = recording(np.random.default_rng(0).standard_normal((12, 3)), {"name": np.arange(12)})
    with pytest.raises(ValueError, match="variable 'name': expected at least 5 samples of each"):
        design(array.assign_attrs(dataset="made"), n_folds=N_FOLDS, seed=0)


def test_labels_that_were_only_found_are_skipped_with_a_warning(caplog):
    array = in_time().assign_coords(
        session=("condition", np.ones(60)), trial=("condition", range(60))
    )
    array.attrs["variables"] = ["session", "trial", "stimulus"]
    array.attrs["found"] = ["session", "trial"]
    plan = design(array, n_folds=N_FOLDS, seed=0)
    assert list(plan.classes) == ["stimulus"]
    assert "made, variable 'session': expected at least two classes, got only 1.0" in caplog.text
    assert "made, variable 'trial': expected at least 5 conditions of each class" in caplog.text
    array.attrs["found"] = ["session"]
    with pytest.raises(ValueError, match="variable 'trial'"):
        design(array, n_folds=N_FOLDS, seed=0)


def in_runs(*, effect):
    """Make activity whose mean depends on the run; `task` is more frequent in some runs."""
    rng = np.random.default_rng(3)
    run = np.repeat(np.arange(6), 20)
    task = (rng.random(120) < np.where(run % 2, 0.85, 0.15)).astype(int)
    activity = rng.standard_normal((120, 8)) + 4 * rng.standard_normal((6, 8))[run]
    activity[:, 0] += effect * task
    array = recording(activity, {"task": task, "run": run})
    return array.assign_attrs(dataset="made", groups="run")


def test_whole_groups_are_held_out_as_by_scikit_learn():
    array = in_runs(effect=0)
    plan = design(array, n_folds=3, seed=0)
    assert list(plan.classes) == ["task"]
    run = array.run.values
    ours = {frozenset(run[plan.folds["task"] == fold]) for fold in range(3)}
    splits = GroupKFold(3).split(run, groups=run)
    assert ours == {frozenset(run[held_out]) for _, held_out in splits}
    sizes = np.bincount(group_folds(np.repeat([0, 1, 2, 3], [9, 5, 4, 1]), 2))
    assert sorted(sizes) == [9, 10]


def test_a_label_that_follows_the_run_is_decoded_only_when_runs_are_shared_between_folds():
    array = in_runs(effect=0)
    activity = array.values[None]
    grouped = decode(activity, design(array, n_folds=5, seed=0), DECODER)["task"].mean()
    del array.attrs["groups"]
    array.attrs["variables"] = ["task"]
    mixed = decode(activity, design(array, n_folds=5, seed=0), DECODER)["task"].mean()
    assert mixed > 0.75
    assert grouped < 0.6


def test_a_label_that_is_constant_within_groups_cannot_be_decoded_over_groups():
    array = in_runs(effect=1)
    array = array.assign_coords(subject=("sample", array.run.values // 3))
    array.attrs["variables"] = ["task", "subject"]
    with pytest.raises(ValueError, match="variable 'subject': expected classes that vary within"):
        design(array, n_folds=3, seed=0)
    array.attrs["groups"] = "subject"
    with pytest.raises(ValueError, match="variable 'run': expected every class outside each fold"):
        design(array.assign_attrs(variables=["run"]), n_folds=2, seed=0)


def test_variance_share_is_that_between_class_means():
    codes = np.array([0, 0, 1, 1])
    activity = np.zeros((2, 4, 3))
    activity[..., 0] = [1, 1, -1, -1]
    activity[..., 1] = [2, -2, 2, -2]
    assert variance_share(activity, codes) == pytest.approx(1 / 5)
    activity[..., 2] = np.array([[2.0], [-2.0]])
    assert variance_share(activity, codes) == pytest.approx(1 / 9)


# --- the solver


def problem(features, classes, n_classes=2):
    n_batch, n, p = features.shape
    one = torch.ones(n_batch, 1, p, dtype=features.dtype)
    training = torch.ones(n_batch, 1, n, dtype=features.dtype)
    return logistic.Problems(features, classes, n_classes, training, 0 * one, one)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_gradient_is_that_of_the_objective(n_classes):
    activity, classes, folds = (torch.from_numpy(a) for a in labelled_data("tall", n_classes))
    training = folds != torch.arange(N_FOLDS)[:, None]
    problems = decoding_solver._shared_problems(activity, training, DECODER)
    problems = problems._replace(classes=classes, n_classes=n_classes)
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(
        3, *problems.shape, generator=generator, dtype=torch.float64, requires_grad=True
    )
    linear = logistic.logits(problems, weights)
    if n_classes == 2:
        linear = torch.cat([torch.zeros_like(linear), linear], 3)
    wanted = classes[None, None].expand(3, N_FOLDS, -1, -1)
    losses = torch.nn.functional.cross_entropy(
        linear.movedim(3, -1).flatten(0, 3), wanted.flatten(), reduction="none"
    ).view(wanted.shape)
    objective = 0.5 * weights[..., :-1].square().sum()
    objective = objective + 2.5 * (losses * problems.training[:, :, None]).sum()
    (expected,) = torch.autograd.grad(objective, weights)
    ours = logistic.gradient(problems, weights.detach(), 2.5)
    assert torch.allclose(ours, expected, atol=1e-9)


def test_regressions_that_do_not_converge_are_an_error(monkeypatch):
    activity, classes, _ = (torch.from_numpy(a) for a in labelled_data("tall", 2))
    monkeypatch.setattr(logistic, "MAX_STEPS", 3)
    with pytest.raises(logistic.NotConvergedError, match=r"norm 1e-06 or less within 3 steps, got"):
        logistic.fit(problem(activity, classes), 1.0, 1e-6)


def test_double_precision_is_used_where_single_does_not_converge(monkeypatch, caplog):
    activity, classes, _ = (torch.from_numpy(a) for a in labelled_data("tall", 2))
    monkeypatch.setattr(decoding_solver, "TOLERANCE", 1e-12)
    monkeypatch.setattr(logistic, "MAX_STEPS", 200)
    caplog.set_level("INFO")
    problems = problem(activity, classes)
    weights = solve(problems, 1.0)
    assert logistic.gradient(problems, weights, 1.0).norm(dim=-1).max() < 1e-9
    assert "in double precision now" in caplog.text
