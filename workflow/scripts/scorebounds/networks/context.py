"""Context-dependent decision, in the conditions and at the times of Mante et al. 2013."""

import itertools

import numpy as np
import pandas as pd
import torch
import xarray as xr
from torch import Tensor

from scorebounds.core.recording import recording
from scorebounds.datasets.mante2013 import condition_names
from scorebounds.networks.trials import PRECISION, Trials


class ContextTask:
    """Context-dependent decision, after Mante et al. 2013.

    Noisy evidence on motion and on colour runs for 750 ms, at six coherences each. One of two cues,
    on from 250 ms before, says which of them counts; the output has to be +1 or −1 by its sign from
    the end of the evidence on. The 72 conditions (6 × 6 coherences × 2 contexts) are those of the
    recording, in its order: by choice, motion, colour and context, negative before positive, where
    the choice is the correct one.

    Parameters
    ----------
    evidence_noise : float
        Standard deviation of the evidence's mean over one second, in units of coherence.
    """

    n_inputs, n_outputs, n_conditions = 4, 1, 72
    step_ms = 25
    first_ms, last_ms, stimulus_ms = -250, 850, 750
    # Bins of the recording, from 100 ms after the onset of the evidence on.
    recorded_from_ms, bin_ms = 100, 50
    ranks = (-3, -2, -1, 1, 2, 3)
    coherences = (-0.5, -0.15, -0.05, 0.05, 0.15, 0.5)

    def __init__(self, evidence_noise: float):
        self.evidence_noise = evidence_noise
        self.start_ms = np.arange(self.first_ms, self.last_ms, self.step_ms)
        rows = [
            (choice, motion, colour, context)
            for choice, motion, colour, context in itertools.product(
                (-1, 1), self.ranks, self.ranks, (-1, 1)
            )
            if np.sign(motion if context > 0 else colour) == choice
        ]
        self.choice, self.motion, self.colour, self.context = np.array(rows).T

    def _coherence(self, rank: np.ndarray) -> np.ndarray:
        return np.array(self.coherences)[np.searchsorted(self.ranks, rank)]

    def trials(self, condition: np.ndarray, generator: torch.Generator | None) -> Trials:
        """Draw a trial of each given condition; without a generator, without noise."""
        n_steps, n_trials = len(self.start_ms), len(condition)
        evidence = np.stack([self._coherence(self.motion), self._coherence(self.colour)], -1)
        inputs = torch.zeros(n_steps, n_trials, self.n_inputs, dtype=PRECISION)
        shown = torch.from_numpy((self.start_ms >= 0) & (self.start_ms < self.stimulus_ms))
        inputs[shown, :, :2] = torch.from_numpy(evidence[condition]).double()
        if generator is not None:
            shape = (int(shown.sum()), n_trials, 2)
            noise = torch.randn(shape, generator=generator, dtype=PRECISION)
            inputs[shown, :, :2] += self.evidence_noise / (self.step_ms / 1000) ** 0.5 * noise
        context = torch.from_numpy(self.context[condition])
        inputs[..., 2] = (context > 0).double()
        inputs[..., 3] = (context < 0).double()
        targets = torch.zeros(n_steps, n_trials, 1, dtype=PRECISION)
        answer = torch.from_numpy(self.start_ms >= self.stimulus_ms)
        targets[answer] = torch.from_numpy(self.choice[condition]).double()[:, None]
        # Between the onset of the evidence and its end, the output is free.
        weight = torch.from_numpy(self.start_ms < 0).double() * 0.2 + answer.double()
        weight = (weight / weight.mean())[:, None, None].expand(-1, n_trials, 1)
        return Trials(inputs, targets, weight, condition)

    def _decisions(self, outputs: Tensor) -> np.ndarray:
        answer = outputs[torch.from_numpy(self.start_ms >= self.stimulus_ms), :, 0]
        decisions: np.ndarray = np.sign(answer.mean(0).cpu().numpy())
        return decisions

    def correct(self, trials: Trials, outputs: Tensor) -> np.ndarray:
        """Return for each trial whether the mean output after the evidence has the right sign."""
        correct: np.ndarray = self._decisions(outputs) == self.choice[trials.condition]
        return correct

    def psychometric(self, trials: Trials, outputs: Tensor) -> pd.DataFrame:
        """Return the share of positive choices by context, kind of evidence and coherence.

        Columns context, evidence, coherence, share_preferred, n_trials; over all coherences of the
        other kind of evidence.
        """
        positive = self._decisions(outputs) > 0
        tables = []
        for evidence, rank in (("motion", self.motion), ("colour", self.colour)):
            shown = pd.DataFrame(
                {
                    "context": np.where(self.context[trials.condition] > 0, "motion", "colour"),
                    "evidence": evidence,
                    "coherence": self._coherence(rank[trials.condition]),
                    "share_preferred": positive,
                }
            )
            groups = shown.groupby(["context", "evidence", "coherence"])["share_preferred"]
            table = groups.agg(["mean", "size"]).reset_index()
            tables.append(table.rename(columns={"mean": "share_preferred", "size": "n_trials"}))
        return pd.concat(tables, ignore_index=True)

    def recorded(self, rates: np.ndarray) -> xr.DataArray:
        """Average the rates in the recording's 15 bins and label them as the recording is.

        The coordinate `row_name` names each condition by the ranks of both coherences.
        """
        first = int(np.searchsorted(self.start_ms, self.recorded_from_ms))
        per_bin = self.bin_ms // self.step_ms
        kept = rates[first:]
        binned = kept.reshape(-1, per_bin, *kept.shape[1:]).mean(1)
        labels = {
            "choice": np.where(self.choice > 0, "preferred", "other"),
            "motion": np.where(self.motion > 0, "preferred", "other"),
            "colour": np.where(self.colour > 0, "preferred", "other"),
            "context": np.where(self.context > 0, "motion", "colour"),
        }
        time = self.recorded_from_ms + self.bin_ms * (np.arange(len(binned)) + 0.5)
        done = [f"averaged the rates in bins of {self.bin_ms} ms"]
        return recording(
            binned,
            labels,
            units="1",
            time=time,
            names=condition_names(self.motion, self.colour, labels["context"]),
            done=done,
        )
