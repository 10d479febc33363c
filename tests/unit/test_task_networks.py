"""Tasks are those of the recordings; networks learn them, repeat themselves, and can be resumed."""

import copy

import numpy as np
import pytest
import torch
import yaml

from helpers.workflow import ROOT
from scorebounds.core.checks import require_activity
from scorebounds.datasets import loaders
from scorebounds.networks import records, rnn, tasks
from scorebounds.networks.checkpoints import Checkpoint
from scorebounds.networks.context import ContextTask
from scorebounds.networks.reaching import ReachingTask

NETWORK = {"n_units": 12, "nonlinearity": "tanh", "time_constant": 100, "noise": 0.1}
TRAINING = {"batch_size": 16, "learning_rate": 0.003, "stop_accuracy": 1.0, "check_every": 2}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def weights(network):
    return torch.cat([part.detach().ravel() for part in network.parameters()])


@pytest.fixture
def context():
    return ContextTask(evidence_noise=0.04)


def test_conditions_of_the_context_task(context):
    rows = np.stack([context.choice, context.motion, context.colour, context.context], -1)
    assert len({tuple(row) for row in rows}) == 72
    assert (np.lexsort(rows.T[::-1]) == np.arange(72)).all()
    relevant = np.where(context.context > 0, context.motion, context.colour)
    np.testing.assert_array_equal(np.sign(relevant), context.choice)
    for level in (context.motion, context.colour):
        assert dict(zip(*np.unique(level, return_counts=True), strict=True)) == dict.fromkeys(
            (-3, -2, -1, 1, 2, 3), 12
        )


def test_evidence_is_that_of_its_condition(context):
    quiet = context.trials(np.arange(72), None)
    shown = (context.start_ms >= 0) & (context.start_ms < 750)
    assert quiet.inputs[~shown, :, :2].abs().max() == 0
    levels = np.array([-0.5, -0.15, -0.05, 0.05, 0.15, 0.5])
    ranks = np.array([-3, -2, -1, 1, 2, 3])
    for column, rank in enumerate((context.motion, context.colour)):
        expected = levels[np.searchsorted(ranks, rank)]
        for step in np.flatnonzero(shown):
            assert quiet.inputs[step, :, column].numpy() == pytest.approx(expected)
    # The cue of the context that counts is on throughout, the other is off.
    assert (quiet.inputs[:, :, 2].numpy() == (context.context > 0)).all()
    assert (quiet.inputs[:, :, 2:].sum(-1) == 1).all()
    targets = quiet.targets[context.start_ms >= 750, :, 0].numpy()
    assert (targets == context.choice).all()
    assert (quiet.weight[shown] == 0).all()
    noisy = context.trials(np.zeros(4000, dtype=int), generator()).inputs[shown, :, 0]
    # The mean over a second of evidence has the standard deviation that was set.
    seconds = shown.sum() * context.step_ms / 1000
    assert noisy.mean(0).std().item() * seconds**0.5 == pytest.approx(0.04, rel=0.05)
    assert noisy.mean().item() == pytest.approx(-0.5, abs=0.003)


def test_reaches_go_to_the_target_after_the_cue():
    task = ReachingTask()
    trials = task.trials(np.arange(8), None)
    speed = trials.targets.norm(dim=-1)
    assert (speed[task.time_ms <= 0] == 0).all()
    assert (task.time_ms[speed.argmax(0).numpy()] == 200).all()
    ends = trials.targets.sum(0) * task.step_ms / 1000
    angle = np.deg2rad(45 * np.arange(8))
    assert ends.numpy() == pytest.approx(np.stack([np.cos(angle), np.sin(angle)], -1), abs=1e-3)
    assert task.correct(trials, trials.targets).all()
    assert not task.correct(trials, -trials.targets).any()
    held = trials.inputs[:, :, 2].numpy().astype(bool)
    np.testing.assert_array_equal(held, np.tile((task.time_ms < -250)[:, None], 8))
    drawn = task.trials(np.zeros(50, dtype=int), generator())
    onsets = (drawn.targets.norm(dim=-1) > 0).int().argmax(0)
    released = (drawn.inputs[:, :, 2] == 0).int().argmax(0)
    assert len(set(onsets.tolist())) > 10
    # The movement follows the cue by 250 ms, whenever it comes.
    assert set((onsets - released).tolist()) <= {25, 26}


@pytest.mark.parametrize(
    ("name", "reference"),
    [("rnn-context", "mante2013-subset"), ("rnn-reaching", "hatsopoulos2007-averages")],
)
def test_recorded_as_the_reference_is(name, reference, mirror):
    files = sorted((mirror / reference).iterdir())
    expected = loaders.load(reference, files, seed=0, settings={}, custom=False)
    network, task = made(name)
    array = records.record(network, task, trained(network, task, max_steps=0), name, seed=0)
    require_activity(array.values, name)
    assert array.dims == expected.dims
    np.testing.assert_array_equal(array.time, expected.time)
    assert array.time.attrs == expected.time.attrs
    assert array.attrs["variables"] == expected.attrs["variables"]
    for label in array.attrs["variables"]:
        np.testing.assert_array_equal(array[label], expected[label])
    for attribute in ("decode_over", "decode_from"):
        assert array.attrs.get(attribute) == expected.attrs.get(attribute)
    assert len(set(array.row_name.values)) == array.sizes["condition"]


def made(name, seed=1, **settings):
    task = tasks.load(name, evidence_noise=0.04)
    return rnn.make_network(task, seed, **{**NETWORK, **settings}), task


def trained(network, task, **settings):
    return rnn.train(network, task, seed=5, **{**TRAINING, **settings})


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_one_euler_step_and_its_gradient(nonlinearity):
    network, task = made("rnn-context", nonlinearity=nonlinearity)
    network.double()
    inputs = torch.randn(3, 4, task.n_inputs, generator=generator()).double()
    x, rates = torch.zeros(4, 12).double(), network.rates(inputs, None)
    for step in range(3):
        drive = network.rate(x) @ network.recurrent + inputs[step] @ network.inputs + network.bias
        x = x + task.step_ms / 100 * (drive - x)
        assert torch.allclose(rates[step], network.rate(x))

    def outputs(recurrent):
        return torch.func.functional_call(network, {"recurrent": recurrent}, (inputs, None))

    assert torch.autograd.gradcheck(outputs, network.recurrent.detach().requires_grad_())


def test_noise_has_the_standard_deviation_that_was_set():
    network, _ = made("rnn-context", n_units=400)
    with torch.no_grad():
        network.recurrent.zero_()
        network.rate = lambda x: x
        rates = network.rates(torch.zeros(60, 50, 4, dtype=torch.float64), generator())
    assert rates[-1].std().item() == pytest.approx(0.1, rel=0.03)


def test_training_is_reproducible_and_does_not_change_the_global_random_state():
    state = torch.get_rng_state()
    runs = []
    for _ in range(2):
        network, task = made("rnn-context")
        curve = trained(network, task, max_steps=4).curve
        runs.append((weights(network), curve))
    assert torch.equal(runs[0][0], runs[1][0])
    np.testing.assert_array_equal(runs[0][1], runs[1][1])
    assert torch.equal(torch.get_rng_state(), state)
    other, _ = made("rnn-context", seed=2)
    assert not torch.equal(weights(other), weights(made("rnn-context")[0]))


@pytest.mark.parametrize("name", tasks.TASKS)
def test_killed_training_goes_on_to_the_same_weights(name, tmp_path):
    whole, task = made(name)
    expected = trained(whole, task, max_steps=7)
    store = Checkpoint(tmp_path / "new/checkpoint.pt", {"seed": 5})

    def write_and_die(state):
        store.write(state)
        if len(state["curve"]) == 3:
            raise KeyboardInterrupt

    killed, _ = made(name)
    assert store.read() is None
    with pytest.raises(KeyboardInterrupt):
        trained(killed, task, max_steps=7, save=write_and_die)
    assert not torch.equal(weights(killed), weights(whole))
    resumed, _ = made(name)
    assert Checkpoint(store.path, {"seed": 6}).read() is None
    result = trained(resumed, task, max_steps=7, saved=store.read(), save=store.write)
    assert torch.equal(weights(resumed), weights(whole))
    np.testing.assert_array_equal(result.curve, expected.curve)
    assert expected.curve[:, 0].tolist() == [0, 2, 4, 6, 7]
    store.path.write_bytes(store.path.read_bytes()[:100])
    assert store.read() is None
    store.remove()
    assert not list(store.path.parent.iterdir())


def test_untrained_copy_has_the_initial_weights_of_training():
    copied, task = made("rnn-context")
    first = copy.deepcopy(copied.state_dict())
    result = trained(copied, task, max_steps=0)
    assert (result.stopped, result.n_steps) == ("untrained", 0)
    learner, _ = made("rnn-context")
    for part, values in learner.state_dict().items():
        assert torch.equal(values, first[part])
        assert torch.equal(copied.state_dict()[part], first[part])
    assert trained(learner, task, max_steps=2).curve[0, 2] == result.accuracy
    assert not torch.equal(weights(learner), weights(copied))


def test_training_stops_when_it_is_accurate_enough(caplog):
    network, task = made("rnn-context", n_units=60)
    settings = {"learning_rate": 0.002, "batch_size": 64, "check_every": 10, "stop_accuracy": 0.8}
    result = trained(network, task, max_steps=300, **settings)
    accuracy, quiet = result.curve[:, 2], result.curve[:, 3]
    assert result.stopped == "reached"
    assert accuracy[-1] >= 0.8
    assert quiet[-1] == 1
    assert not ((accuracy[:-1] >= 0.8) & (quiet[:-1] == 1)).any()
    assert result.n_steps < 300
    assert not caplog.records
    # It follows the evidence that counts, and not the other.
    table = records.psychometric_table(network, task, 5, "rnn-context")
    relevant = table[table.context == table.evidence]
    assert relevant[relevant.coherence > 0.1].share_preferred.min() > 0.85
    assert relevant[relevant.coherence < -0.1].share_preferred.max() < 0.15
    other = table[table.context != table.evidence]
    assert other.share_preferred.between(0.2, 0.8).all()
    assert set(table.n_trials) == {120}
    learned = records.learning_table(result, "rnn-context")
    assert learned.step.iloc[-1] == result.n_steps
    array = records.record(network, task, result, "rnn-context", seed=3)
    assert array.attrs["accuracy"] == accuracy[-1]
    assert (array.attrs["steps"], array.attrs["seed"]) == (result.n_steps, 3)


def test_training_that_falls_short_warns(caplog):
    network, task = made("rnn-reaching")
    assert trained(network, task, max_steps=2).stopped == "step limit"
    assert "training ended after 2 steps with" in caplog.text


def test_perfect_and_poor_reaches_by_target():
    task = ReachingTask()
    trials = task.trials(np.repeat(np.arange(8), 3), generator())
    perfect = task.psychometric(trials, trials.targets)
    assert perfect.endpoint_error.max() < 1e-3
    assert perfect.velocity_r2.tolist() == pytest.approx([1.0] * 8)
    still = task.psychometric(trials, torch.zeros_like(trials.targets))
    assert still.endpoint_error.tolist() == pytest.approx([1.0] * 8)
    assert still.velocity_r2.tolist() == pytest.approx([0.0] * 8)
    assert perfect.n_trials.tolist() == [3] * 8


def test_error_for_a_time_constant_below_the_step_is_one_sentence():
    with pytest.raises(ValueError, match=r"at least the step of 25 ms, got 20 ms"):
        made("rnn-context", time_constant=20)


def test_settings_of_the_workflow_are_those_of_the_library():
    settings = yaml.safe_load((ROOT / "config.yaml").read_text())["task-networks"]
    training = settings.pop("training")
    evidence_noise = settings.pop("evidence_noise")
    task = tasks.load("rnn-context", evidence_noise)
    network = rnn.make_network(task, 1, **settings)
    learning = rnn.train(network, task, seed=1, **{**training, "max_steps": 1})
    assert len(learning)
