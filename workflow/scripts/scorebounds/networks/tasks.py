"""The tasks that recurrent networks are trained on, by the names of the networks."""

from collections.abc import Callable

from scorebounds.networks.context import ContextTask
from scorebounds.networks.reaching import ReachingTask
from scorebounds.networks.trials import Task

# By the name of the network that is trained on it.
TASKS = ("rnn-context", "rnn-reaching")
UNTRAINED = "-untrained"


def task_of(name: str) -> str:
    """Return the name of a network that is trained: its own, or that of which it is the copy."""
    return name.removesuffix(UNTRAINED)


def load(name: str, evidence_noise: float) -> Task:
    """Make the task of a network of this name."""
    tasks: dict[str, Callable[[], Task]] = {
        "rnn-context": lambda: ContextTask(evidence_noise),
        "rnn-reaching": ReachingTask,
    }
    return tasks[name]()
