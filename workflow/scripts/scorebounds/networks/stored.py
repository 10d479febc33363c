"""Read the recorded layers of networks."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from scorebounds.core.tables import open_dataset
from scorebounds.measures.closed_form import centre, narrow
from scorebounds.networks.layers import drop_constant


def read_classes(path: str) -> np.ndarray:
    """Read the class of each image that the layers of a network were recorded for."""
    with open_dataset(path) as stored:
        return np.asarray(stored["class"].values)


def read_accuracies(path: str) -> pd.DataFrame:
    """Read the accuracy of a network and of a linear probe of each of its layers.

    Returns
    -------
    DataFrame
        Columns layer, probe_accuracy, network_accuracy.
    """
    with open_dataset(path) as stored:
        probes = stored["probe"].values
        accuracy = float(stored["curve"].values[-1, -1])
    return pd.DataFrame(
        {
            "layer": np.arange(1, len(probes) + 1),
            "probe_accuracy": probes,
            "network_accuracy": accuracy,
        }
    )


class StoredLayers:
    """The layers of networks one after the other, without silent units, read when they are needed.

    Parameters
    ----------
    paths : sequence of str
        A file per network.
    state : str
        `trained` or `untrained`.
    device : torch.device
        Where they are put, in double precision.
    """

    def __init__(self, paths: Sequence[str], state: str, device: torch.device):
        self.paths, self.state, self.device = paths, state, device
        with open_dataset(paths[0]) as stored:
            self.n_layers = int(stored.attrs["n_layers"])
        self._said: set[int] = set()

    def __len__(self) -> int:
        return len(self.paths) * self.n_layers

    def __getitem__(self, place: int) -> Tensor:
        """Read one layer, shape (n_images, n_units)."""
        network, layer = divmod(place, self.n_layers)
        name = f"{self.state}_{layer + 1}"
        with open_dataset(self.paths[network]) as stored:
            (values,), n_silent = drop_constant([stored[name].values])
        if n_silent and place not in self._said:
            self._said.add(place)
            print(
                f"{self.paths[network]}, {name}: left out {n_silent} units that are silent for "
                "all images"
            )
        return torch.from_numpy(values).to(self.device, torch.float64)


def read_layers(paths: Sequence[str], state: str, *, rotated: bool = False) -> list[list[Tensor]]:
    """Read the layers of networks in double precision, without silent units.

    Parameters
    ----------
    paths : sequence of str
        A file per network.
    state : str
        `trained` or `untrained`.
    rotated : bool
        Whether to centre layers of more units than images and rotate them to as many dimensions as
        there are images, which measures that rotations do not change need no more than.

    Returns
    -------
    list of list of Tensor
        Per network and layer, shape (n_images, n_units).
    """
    networks = []
    for path in paths:
        with open_dataset(path) as stored:
            numbers = range(1, stored.attrs["n_layers"] + 1)
            kept, n_silent = drop_constant(
                [stored[f"{state}_{number}"].values for number in numbers]
            )
        if n_silent:
            print(f"{path}: {state}, left out {n_silent} units that are silent for all images")
        layers = [torch.from_numpy(layer).double() for layer in kept]
        networks.append([narrow(centre(layer)) for layer in layers] if rotated else layers)
    return networks
