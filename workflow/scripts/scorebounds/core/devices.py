"""Where tensors live: on the processor, or on a graphics card (GPU)."""

import logging

import torch

logger = logging.getLogger(__name__)


def chosen_device(name: str) -> torch.device:
    """Return the device that the settings ask for.

    Parameters
    ----------
    name : str
        `cpu`; `cuda`, a GPU; or `auto`, a GPU if the job can see one.

    Returns
    -------
    torch.device

    Raises
    ------
    ValueError
        If a GPU is asked for and the job sees none.
    """
    seen = name != "cpu" and torch.cuda.is_available()
    if name == "cuda" and not seen:
        raise ValueError(
            "config, device: expected a GPU that the job can see for `cuda`, found none; "
            "`auto` takes one if there is one"
        )
    device = torch.device("cuda" if seen else "cpu")
    logger.info("device: %s", device)
    return device
