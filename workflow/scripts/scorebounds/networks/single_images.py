"""Layers of networks image by image: first components, and CKA within the classes of the images."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from torch import Tensor

from scorebounds.measures.base import Measure
from scorebounds.measures.components import principal_components

CLASS_COLUMNS = ["measure", "images", "layer", "other_layer", "score", "n_images"]
ALL_IMAGES, WITHIN_CLASS = "all images", "within a class"


def first_components(networks: Sequence[Sequence[Tensor]], classes: np.ndarray) -> pd.DataFrame:
    """Return each image on the first two components of the middle layer of two networks.

    Parameters
    ----------
    networks : sequence of sequence of Tensor
        Layers of at least two networks; the first two are used.
    classes : ndarray, shape (n_images,)

    Returns
    -------
    DataFrame
        Columns network, layer, image, label, pc1, pc2, each of unit variance. The sign of a
        component, which is arbitrary, is that which correlates positively with the component of
        the first network.
    """
    middle = (len(networks[0]) - 1) // 2
    tables, first = [], None
    for number, network in enumerate(networks[:2], 1):
        vectors = principal_components(network[middle]).eigenvectors[:, :2].cpu().numpy()
        vectors = vectors * len(vectors) ** 0.5
        first = vectors if first is None else first
        vectors = vectors * np.where((vectors * first).sum(0) < 0, -1, 1)
        shown = pd.DataFrame(vectors, columns=["pc1", "pc2"])
        shown.insert(0, "label", classes)
        shown.insert(0, "image", np.arange(1, len(shown) + 1))
        shown.insert(0, "layer", middle + 1)
        tables.append(shown.assign(network=number))
    return pd.concat(tables, ignore_index=True)


def class_maps(
    networks: Sequence[Sequence[Tensor]], classes: np.ndarray, measures: Sequence[Measure]
) -> pd.DataFrame:
    """Average scores between layers of different networks, for all images and within classes.

    Parameters
    ----------
    networks : sequence of sequence of Tensor
        Layers of at least two networks.
    classes : ndarray, shape (n_images,)
    measures : sequence of Measure

    Returns
    -------
    DataFrame
        `CLASS_COLUMNS`; `images` is `ALL_IMAGES`, or `WITHIN_CLASS`, where scores of the images of
        a single class are averaged over classes (Kornblith et al. 2019, figure F.7). Neurons that
        are silent within a class are left out there.
    """
    tables = []
    groups = {
        ALL_IMAGES: [np.arange(len(classes))],
        WITHIN_CLASS: [np.flatnonzero(classes == label) for label in np.unique(classes)],
    }
    for measure in measures:
        for name, chosen in groups.items():
            scores = np.mean([_between(networks, images, measure) for images in chosen], 0)
            row, column = np.indices(scores.shape) + 1
            table = pd.DataFrame({"layer": row.ravel(), "other_layer": column.ravel()})
            size = float(np.mean([len(images) for images in chosen]))
            table = table.assign(score=scores.ravel(), n_images=size, images=name)
            tables.append(table.assign(measure=measure.name))
    return pd.concat(tables, ignore_index=True)[CLASS_COLUMNS]


def _between(
    networks: Sequence[Sequence[Tensor]], images: np.ndarray, measure: Measure
) -> np.ndarray:
    """Return the mean score of each layer with each layer of another network."""
    shape = (len(networks), len(networks[0]))
    layers = []
    for network in networks:
        for layer in network:
            shown = layer[images]
            layers.append(shown[:, shown.amax(0) > shown.amin(0)])
    scores = measure.between(layers).cpu().numpy().reshape(shape + shape)
    pairs = [scores[i, :, j] for i in range(shape[0]) for j in range(shape[0]) if i != j]
    mean: np.ndarray = np.mean(pairs, axis=0)
    return mean
