"""Time and memory of comparing the layers of networks for CIFAR-10, as the rule match_layers does.

    .venv/bin/python benchmarks/layers.py [--images 20000] [--networks 1] [--measures cka linreg]

Layers have the sizes of those of config/cifar10.yaml and invented values, which are drawn when a
layer is needed. Prints the seconds per measure, the largest memory, and the time that the
products of all pairs take at the speed of one product. A GPU is used if there is one.
"""

import argparse
import resource
import time

import torch

from scorebounds.core.devices import chosen_device
from scorebounds.measures import registry
from scorebounds.measures.among import scores_among
from scorebounds.networks.architectures import layer_widths

WIDTHS = layer_widths("cifar10")


class InventedLayers:
    """Layers of the sizes of those of networks for CIFAR-10, of rectified noise."""

    def __init__(self, n_images, n_networks, device):
        self.n_images, self.n_networks, self.device = n_images, n_networks, device

    def __len__(self):
        return self.n_networks * len(WIDTHS)

    def __getitem__(self, place):
        width = WIDTHS[place % len(WIDTHS)]
        generator = torch.Generator(self.device).manual_seed(place)
        options = {"generator": generator, "device": self.device, "dtype": torch.float64}
        layer = torch.randn(self.n_images, 200, **options) @ torch.randn(200, width, **options)
        return (layer + torch.randn(self.n_images, width, **options)).clamp_min_(0)


def synchronised_time(device):
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def largest_gb(device):
    """Return the largest memory so far: of the GPU, or of the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--networks", type=int, default=1)
    parser.add_argument("--measures", nargs="+", default=["cka", "linreg", "cca", "cka_rbf_0.4"])
    given = parser.parse_args()
    device = chosen_device("auto")
    layers = InventedLayers(given.images, given.networks, device)
    x = layers[0]
    x.mT @ x
    start = synchronised_time(device)
    x.mT @ x
    rate = given.images * WIDTHS[0] ** 2 / (synchronised_time(device) - start)
    del x
    print(f"{device}: {rate / 1e9:.0f} billion multiplications per second")
    n_units = given.networks * sum(min(width, given.images) for width in WIDTHS)
    for name in given.measures:
        start = synchronised_time(device)
        blocks = [range(place, place + 1) for place in range(len(layers))]
        scores = scores_among([registry.load(name)], layers, blocks)[name]
        seconds = synchronised_time(device) - start
        products = given.images * n_units**2 / rate
        print(
            f"{name}: {seconds:.0f} s, products of all pairs {products:.0f} s, "
            f"{largest_gb(device):.1f} GB; scores {scores.min():.3f} to {scores.max():.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
