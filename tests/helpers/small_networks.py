"""Train small networks; as a program, also with other kernels of the processor."""

import sys

import numpy as np
import torch

from scorebounds.networks import convnets, images, rnn, tasks


def task_network():
    """Return the activity of a network trained on a task for a few steps."""
    task = tasks.load("rnn-context", 0.04)
    network = rnn.make_network(
        task, 5, n_units=20, nonlinearity="tanh", time_constant=100, noise=0.1
    )
    settings = {"batch_size": 16, "learning_rate": 1e-2, "max_steps": 30, "check_every": 30}
    rnn.train(network, task, seed=7, stop_accuracy=1, **settings)
    return rnn.noise_free(network, task)[0]


def image_network():
    """Return the readout of a network trained on images for a few steps."""
    train, held_out = images.load("digits", [])
    network = convnets.make_network("digits", train, 5)
    settings = {"n_steps": 20, "batch_size": 16, "learning_rate": 0.1, "weight_decay": 0.005}
    cpu = torch.device("cpu")
    convnets.train_network(
        network, train, held_out, seed=3, device=cpu, largest_shift=1, **settings
    )
    return network.readout.weight.detach().numpy()


TRAINED = {"task": task_network, "images": image_network}

if __name__ == "__main__":
    torch.set_num_threads(1)
    np.savez(sys.argv[1], **{name: train() for name, train in TRAINED.items()})
