"""Which figures there are: what each draws, from which tables, and what its caption says.

A new figure from an existing table is a function in a module of this package, an entry here, and a
test. This module imports the standard library only, so that rules can read it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

IS_IT_GOOD = "1. Is a model's score good?"
WHAT_SCORE = "2. Which score is high enough?"
PAIRS = "3. Which pairs of scores are possible?"
LAYERS = "4. Which measures find corresponding layers?"
OPTIMISATION = "5. How were the synthetic data optimised?"
PAPER = "6. Are the published results reproduced?"


@dataclass(frozen=True)
class FigureEntry:
    """One figure, `results/figures/<name>.pdf`, `.png` and `.csv`.

    Attributes
    ----------
    function : str
        Module of this package and function, `module.function`. It takes the tables of `inputs` and
        the values of `settings` as keyword arguments, and returns the figure and the table shown.
    inputs : mapping of str to str
        Path of each table. Where it holds a wildcard other than `{dataset}`, the function gets all
        such tables as one, one below the other.
    title : str
        What the figure shows, in a few words.
    category : str
        Section of the report.
    caption : str
        Starts with the question that the figure answers; `{name}` stands for the dataset or a
        setting.
    by_dataset : bool
        Whether there is one figure per dataset, `results/figures/<name>/<dataset>.pdf`.
    settings : mapping of str to str
        Where in the configuration each further argument of the function is, as `section/key`.
    caption_settings : mapping of str to str
        The same, for what only the caption needs.
    """

    function: str
    inputs: Mapping[str, str]
    title: str
    category: str
    caption: str
    by_dataset: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    caption_settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def module(self) -> str:
        """Full name of the module that draws the figure."""
        return f"scorebounds.figures.{self.function.partition('.')[0]}"


FIGURES: dict[str, FigureEntry] = {
    "ladder": FigureEntry(
        function="ladder.ladder_figure",
        inputs={
            "cards": "results/scorecards/{dataset}/{model}.csv",
            "thresholds": "results/{stage}/{dataset}/thresholds.csv",
        },
        title="score ladder",
        category=IS_IT_GOOD,
        by_dataset=True,
        caption_settings={"n_seeds": "optimize/n_seeds"},
        caption=(
            "Are the scores of the models on {dataset} good? One bar per measure. Shade: share of "
            "the variance of the recording that data optimised towards the measure have captured "
            "at that score in all of {n_seeds} optimisations. Ticks: lowest score at which a task "
            "variable is decoded from such data, in all optimisations, nine tenths as well above "
            "chance as from the recording. Grey: 5 to 95 % of the scores of shuffled conditions. "
            "Points: scores of models; lines: 95 % intervals over other conditions and other "
            "neurons of the recording, corrected for bias, where one is known; open: p > 0.05 "
            "after correction for the number of measures, or a model so wide that any such model "
            "scores 1. Bracket: noise ceiling (95 % interval); dashed: inter-subject ceiling, with "
            "small markers for scores of the models with single subjects. Hatched: measures "
            "towards which nothing was optimised."
        ),
    ),
    "scorecards": FigureEntry(
        function="scorecards.scorecard_figure",
        inputs={
            "cards": "results/scorecards/{dataset}/{model}.csv",
        },
        title="all models compared with chance",
        category=IS_IT_GOOD,
        by_dataset=True,
        caption=(
            "How do the models of {dataset} compare with chance? Score of each model; lines: 95 % "
            "interval over other conditions and other neurons of the recording, corrected for "
            "bias, where one is known; grey: 5 to 95 % of the scores of shuffled conditions; "
            "yellow: noise ceiling. Arrows: scores below the axis."
        ),
    ),
    "task_networks": FigureEntry(
        function="task_networks.task_networks_figure",
        inputs={
            "learning": "results/models/{model}/learning.csv",
            "psychometric": "results/models/{model}/psychometric.csv",
        },
        title="what the task networks learned",
        category=IS_IT_GOOD,
        settings={"stop_accuracy": "task-networks/training/stop_accuracy"},
        caption_settings={
            "n_units": "task-networks/n_units",
            "nonlinearity": "task-networks/nonlinearity",
        },
        caption=(
            "Did the networks learn their tasks? Networks of {n_units} leaky rate units "
            "({nonlinearity}). Left: share of held-out trials that are correct, against updates; "
            "training ends at the dashed line. Middle: choices of rnn-context against coherence. "
            "After training it follows the evidence that the context makes relevant; the untrained "
            "copy does not tell the contexts apart. Right: where reaches of rnn-reaching end (mean "
            "of the held-out trials of each target), in units of the distance to the target."
        ),
    ),
    "thresholds": FigureEntry(
        function="captures.threshold_figure",
        inputs={
            "thresholds": "results/tables/thresholds.csv",
            "published": "results/tables/published.csv",
        },
        title="score at which each component is captured",
        category=WHAT_SCORE,
        caption_settings={"n_seeds": "optimize/n_seeds"},
        caption=(
            "At which score is each principal component (PC) of the reference captured? Score at "
            "capture against the share of the variance that the PC carries. Lines: median over "
            "optimisations from {n_seeds} random starts; band: interval of the median (order "
            "statistics; smallest to largest for up to five). Circles: not all optimisations "
            "captured the PC. Ticks above 1: PCs that no optimisation captured, a row per "
            "measure. Dotted: published by Cloos et al. 2025 (one optimisation), where the panel "
            "is a Gaussian surrogate of the published spectrum. Measures of Cloos et al. 2025; "
            "all others are in results/tables/thresholds.csv."
        ),
    ),
    "capture": FigureEntry(
        function="captures.capture_figure",
        inputs={"capture": "results/thresholds/{dataset}/capture.csv"},
        title="components captured during optimisation",
        category=WHAT_SCORE,
        by_dataset=True,
        caption_settings={"n_seeds": "optimize/n_seeds"},
        caption=(
            "Which components of {dataset} do synthetic data with a given score contain? R² of "
            "each principal component (PC) under linear regression from the synthetic data, "
            "against the score; mean over {n_seeds} optimisations, on the scores that all of them "
            "passed. Dotted: mean R² of all components at the random start."
        ),
    ),
    "twins": FigureEntry(
        function="twins.twin_figure",
        inputs={
            "components": "results/twins/{dataset}/components.csv",
            "summary": "results/twins/{dataset}/summary.csv",
        },
        title="thresholds of Gaussian twins",
        category=WHAT_SCORE,
        by_dataset=True,
        caption_settings={"n_seeds": "optimize/n_seeds", "n_draws": "twins/n_draws"},
        caption=(
            "Does the spectrum of {dataset} decide at which score its principal components (PCs) "
            "are captured? Black: median over optimisations from {n_seeds} random starts. Blue: "
            "the same for Gaussian data with the same covariance of the neurons, median over "
            "{n_draws} draws, and the interval of this median (order statistics; smallest to "
            "largest for up to five), which includes the variability of draws and starts. Numbers: "
            "mean difference and mean absolute difference over the first 30 PCs that the dataset "
            "and all draws captured; p: share of dataset and draws that are as far from all others "
            "as the dataset is. Tables: twins.csv and twin_differences.csv in results/tables."
        ),
    ),
    "scores": FigureEntry(
        function="scores.score_figure",
        inputs={"scores": "results/tables/scores.csv"},
        title="scores of optimised data by every measure",
        category=WHAT_SCORE,
        caption_settings={"n_seeds": "scoring/n_seeds", "stop_score": "optimize/stop_score"},
        caption=(
            "What does a high score of one measure say about the others? Synthetic data optimised "
            "towards the measure of the row until {stop_score}, scored with the measure of the "
            "column, {n_seeds} seed(s). Above: mean over datasets, and lowest to highest dataset; "
            "below: each dataset, same rows and columns. A dark cell: the high score of the row "
            "guarantees little of the column. A dash: not defined for these data, for the reason "
            "in results/tables/scores.csv."
        ),
    ),
    "decoding": FigureEntry(
        function="decoding.decoding_figure",
        inputs={
            "curves": "results/tables/decoding.csv",
            "references": "results/tables/references.csv",
            "thresholds": "results/tables/thresholds.csv",
            "published": "results/tables/published_decoding.csv",
        },
        title="accuracy of task variables during optimisation",
        category=WHAT_SCORE,
        settings={"measures": "measures"},
        caption_settings={"n_seeds": "optimize/n_seeds"},
        caption=(
            "How well can task variables be decoded from synthetic data with a given score? "
            "Accuracy of cross-validated logistic regression (mean over times) against the score "
            "that the data were optimised towards; mean over {n_seeds} optimisations on the scores "
            "that all of them passed; band: 95 % interval of the mean. Dashed: accuracy on the "
            "reference itself; dotted: share of the largest class. Marks on the lower axis: median "
            "score at which nine tenths of the way between the two are passed. Grey panel: the "
            "variable cannot be decoded from the reference (p > 0.05 among shuffled labels). Thin "
            "lines: published by Cloos et al. 2025 (one optimisation, neurons not standardised, "
            "new folds at each step), in the panel of the same data or in panels of "
            "their own."
        ),
    ),
    "decoding_times": FigureEntry(
        function="decoding.decoding_times_figure",
        inputs={"times": "results/tables/decoding_times.csv"},
        title="accuracy of task variables over time",
        category=WHAT_SCORE,
        caption=(
            "When can task variables be decoded from the recordings? Accuracy of cross-validated "
            "logistic regression at each time, one decoder per time. Band: 5 to 95 % of the "
            "accuracies for shuffled labels. Dotted: share of the largest class. The mean over "
            "times is the reference accuracy of the other figures."
        ),
    ),
    "decoding_thresholds": FigureEntry(
        function="decoding_thresholds.decoding_threshold_figure",
        inputs={
            "thresholds": "results/tables/thresholds.csv",
            "seeds": "results/tables/seed_thresholds.csv",
            "references": "results/tables/references.csv",
            "published": "results/tables/published_decoding_thresholds.csv",
        },
        title="score at which each task variable is decoded",
        category=WHAT_SCORE,
        settings={"measures": "measures"},
        caption_settings={"n_seeds": "optimize/n_seeds"},
        caption=(
            "At which score is each task variable decoded nine tenths as well, above chance, as "
            "from the reference itself? Symbols: median over {n_seeds} optimisations, with never "
            "as a score beyond all others; dots: single optimisations; line: interval of the "
            "median (order statistics; smallest to largest for up to five). Open symbol: not all "
            "optimisations decode the variable, and how many do. Right of the line: at least half "
            "never do. Crosses: the same rule applied to the curve that Cloos et al. 2025 "
            "published (one optimisation), in the row of the same data or in rows of their own. "
            "Numbers: results/tables/thresholds.csv (kind variable), "
            "results/tables/seed_thresholds.csv and results/tables/references.csv."
        ),
    ),
    "targeted": FigureEntry(
        function="targeted.targeted_figure",
        inputs={"targeted": "results/tables/targeted.csv"},
        title="trajectories along the axes of task variables",
        category=WHAT_SCORE,
        caption=(
            "Do recordings and networks represent choice and evidence in the same way? Targeted "
            "dimensionality reduction (Mante et al. 2013): averages over conditions of equal "
            "choice, evidence and context, along orthogonal axes that regression gives to the "
            "variables; a mark at the last time. Solid: the context makes the evidence of the row "
            "relevant; dashed: irrelevant."
        ),
    ),
    "ridge_sweep": FigureEntry(
        function="decoding.ridge_sweep_figure",
        inputs={
            "curves": "results/tables/decoding.csv",
            "references": "results/tables/references.csv",
        },
        title="task variables and the penalty of ridge regression",
        category=WHAT_SCORE,
        settings={"datasets": "ridge_sweep/datasets", "penalties": "ridge_sweep/penalties"},
        caption_settings={"n_seeds": "optimize/n_seeds"},
        caption=(
            "Does the penalty of ridge regression decide what its score guarantees? Accuracy at "
            "which each task variable is decoded from data optimised towards cross-validated ridge "
            "regression with penalty λ, against the score; mean over {n_seeds} optimisations; "
            "band: 95 % interval of the mean. Grey dotted: chance. Thin horizontal lines: accuracy "
            "on the reference itself."
        ),
    ),
    "perturbation": FigureEntry(
        function="perturbation.perturbation_figure",
        inputs={"perturbation": "results/tables/perturbation.csv"},
        title="score after one component is replaced",
        category=WHAT_SCORE,
        caption_settings={"n_draws": "perturbation/n_draws"},
        caption=(
            "How much of a score does one principal component (PC) carry? Score of each dataset "
            "with itself after one PC is replaced by a random direction, against the share of the "
            "variance of the PC. Lines: theory for a direction orthogonal to all PCs (Cloos et al. "
            "2025, section 4.3); symbols: mean over {n_draws} directions that are orthogonal to "
            "the other PCs only, as in the paper's simulation; dashed: what is expected of these; "
            "dotted: the PC is left out instead."
        ),
    ),
    "perturbation_overlap": FigureEntry(
        function="perturbation.overlap_figure",
        inputs={"perturbation": "results/tables/perturbation.csv"},
        title="scores of a replaced component, simulated and expected",
        category=WHAT_SCORE,
        caption_settings={"n_draws": "perturbation/n_draws"},
        caption=(
            "Why do simulated scores lie above the theory of a replaced component? Score after one "
            "PC is replaced by a random direction that is orthogonal to the other PCs only, minus "
            "the score in theory, which assumes a direction orthogonal to this PC as well (line at "
            "0). Symbols: mean and 95 % interval over {n_draws} directions; dashed: what is "
            "expected from the overlap of a random direction with the PC. PCs with at least 0.3 % "
            "of the variance."
        ),
    ),
    "ranges": FigureEntry(
        function="ranges.range_figure",
        inputs={
            "ranges": "results/ranges/{dataset}/{pair}.csv",
            "guides": "results/ranges/{dataset}/{pair}.guides.csv",
            "trajectories": "results/ranges/{dataset}/{pair}.trajectories.csv",
            "bounds": "results/ranges/{dataset}/{pair}.bounds.csv",
        },
        title="allowable ranges",
        category=PAIRS,
        by_dataset=True,
        settings={"reference_level": "ranges/reference_level"},
        caption_settings={
            "n_targets": "ranges/joint/n_targets",
            "x": "ranges/joint/x",
            "max_steps": "ranges/joint/max_steps",
            "learning_rate": "ranges/joint/learning_rate",
        },
        caption=(
            "Which pairs of scores are possible on {dataset}? Blue: attained by constrained "
            "search, every end by actual data; points: values that were searched. Grey: "
            "impossible, by a proven bound; white: neither attained nor proven to be impossible. "
            "Orange: joint optimisation with Adam from one random "
            "start towards {n_targets} targets on the border of the unit square, at most "
            "{max_steps} updates with learning rate {learning_rate} (1000 with 0.01 in the code of "
            "Cloos et al. 2025; the reference was {x}): dots, scores visited; triangles, scores "
            "reached. Above each panel: scores of the other measure that data with a score of at "
            "least {reference_level} were found with."
        ),
    ),
    "range_matrix": FigureEntry(
        function="range_matrix.matrix_figure",
        inputs={"guides": "results/tables/range_guides.csv"},
        title="scores compatible with a high score of another measure",
        category=PAIRS,
        settings={"reference_level": "ranges/reference_level"},
        caption=(
            "Which scores of one measure are compatible with a score of at least "
            "{reference_level} of another? A row per ordered pair of measures, first → second; "
            "bar: from the smallest to the largest score of the second that data with such a "
            "score of the first were found with; ticks: proven bounds, beyond which no data can "
            "be (no bound is known at an end of a bar without a tick); question mark: pair not "
            "searched on this dataset. Pairs of a measure with itself are left out."
        ),
    ),
    "layers": FigureEntry(
        function="layers.correspondence_figure",
        inputs={"layers": "results/tables/layers.csv"},
        title="corresponding layers found",
        category=LAYERS,
        caption_settings={
            "n_networks": "layers/n_networks",
            "images": "layers/images",
            "n_images": "layers/n_images",
            "compare_on": "layers/compare_on",
            "n_untrained": "layers/n_untrained",
        },
        caption=(
            "Which measures find the corresponding layer of a network that differs in its random "
            "seed only? Share of the layers whose most similar layer in the other network has the "
            "same depth. Scores of measures that are not symmetric are averaged over both "
            "directions, as in Kornblith et al. 2019, table 2. Bold: measures whose accuracy is "
            "not distinguishable from the highest (jackknife z-test, p ≥ 0.05 without correction). "
            "Filled: {n_networks} trained networks ({images}, {n_images} {compare_on} images), "
            "over all pairs, with the 95 % interval over networks; open: {n_untrained} of the "
            "networks before training, without an interval where they are fewer than three; "
            "crosses: Kornblith et al. 2019, ten networks on CIFAR-10; dashed: chance."
        ),
    ),
    "layer_maps": FigureEntry(
        function="layers.layer_maps_figure",
        inputs={"maps": "results/layers/maps.csv"},
        title="similarity of layers",
        category=LAYERS,
        caption_settings={"n_networks": "layers/n_networks"},
        caption=(
            "How similar is every layer to every other? Mean over pairs of {n_networks} trained "
            "networks (above) and within a network (below). Each map has its own scale, from the "
            "lowest similarity to the highest, which are written below it. Rings: the most similar "
            "layer of a row; on the diagonal where it is the corresponding one."
        ),
    ),
    "depths": FigureEntry(
        function="architectures.depth_figure",
        inputs={
            "maps": "results/architectures/maps.csv",
            "probes": "results/architectures/probes.csv",
        },
        title="layers of networks of several depths",
        category=LAYERS,
        caption=(
            "Does a deeper network use its layers? Above: CKA between the layers of one network "
            "whose convolutions are repeated. Below: accuracy on held-out images of a linear probe "
            "of each layer (thin: single networks; thick: mean) and of the networks (dashed). "
            "Layers that resemble all later ones and do not improve the probe add nothing "
            "(Kornblith et al. 2019, figure 3)."
        ),
    ),
    "residual": FigureEntry(
        function="architectures.residual_figure",
        inputs={"maps": "results/architectures/maps.csv"},
        title="layers of plain and residual networks",
        category=LAYERS,
        caption=(
            "Do layers of networks with and without shortcuts correspond? CKA between all layers "
            "of one network and those of the network below each map: a plain network and its "
            "residual counterpart with themselves, then the standard and the plain network with "
            "the residual one. Every second layer of the residual network is within a block, the "
            "others follow a shortcut (Kornblith et al. 2019, figures 4, 5 and F.8)."
        ),
    ),
    "widths": FigureEntry(
        function="architectures.width_figure",
        inputs={"widths": "results/architectures/widths.csv"},
        title="layers of networks of several widths",
        category=LAYERS,
        caption=(
            "Do wider networks have more similar layers? CKA of corresponding layers, mean over "
            "pairs of networks trained from different seeds; lines: lowest to highest pair "
            "(Kornblith et al. 2019, figure 6)."
        ),
    ),
    "other_data": FigureEntry(
        function="architectures.other_data_figure",
        inputs={"other_data": "results/architectures/other_data.csv"},
        title="layers of networks trained on different classes",
        category=LAYERS,
        caption=(
            "Do networks that learned from different data have similar layers? CKA of "
            "corresponding layers of networks trained on the first or second half of the classes, "
            "and of untrained networks, for images of either half; mean over pairs of networks of "
            "different seeds, lines: lowest to highest pair (after Kornblith et al. 2019, "
            "figure 7, which has CIFAR-10 and CIFAR-100)."
        ),
    ),
    "layer_families": FigureEntry(
        function="layer_indexes.families_figure",
        inputs={"families": "results/layers/families.csv"},
        title="layers found by two families of indexes",
        category=LAYERS,
        caption=(
            "Which invariance does an index need to find corresponding layers? Share of layers "
            "found between networks trained from different seeds, scores averaged over both "
            "directions. a: SVCCA, canonical correlations (mean ρ̄ and mean square R²) of the "
            "components that hold the share of the variance; lines: 95 % jackknife intervals over "
            "networks (from three on); dotted: chance. b: canonical ridge: CKA of the layers after "
            "each has been whitened as far as its penalty κ lets it (in units of its largest "
            "eigenvalue; Kornblith et al. 2019, appendix D.1). Without a penalty it ranks layers "
            "as R² of CCA does where ranks agree, with an infinite one on both sides it is CKA, "
            "and with one on one side it is linear regression up to a factor of the spectrum."
        ),
    ),
    "first_components": FigureEntry(
        function="layer_indexes.first_components_figure",
        inputs={"images": "results/layers/images.csv"},
        title="first components of two networks",
        category=LAYERS,
        caption=(
            "Do networks trained from different seeds have the same first components? Each point "
            "is an image on the first two principal components of the middle layer of one network "
            "(a) and of another (b). Colours are those of the place in a: red to blue along the "
            "first component, dark to light along the second. Signs are chosen to agree "
            "(Kornblith et al. 2019, figure 1)."
        ),
    ),
    "class_maps": FigureEntry(
        function="layer_indexes.class_figure",
        inputs={"classes": "results/layers/classes.csv"},
        title="similarity of layers within classes of images",
        category=LAYERS,
        caption=(
            "Do layers correspond because they separate the classes, or also within a class? "
            "Scores of all layers with those of another network, mean over pairs of networks: for "
            "all images, and for the images of one class, mean over classes (Kornblith et al. "
            "2019, figure F.7). With few images CKA is biased upwards and debiased CKA is not."
        ),
    ),
    "layer_components": FigureEntry(
        function="networks.components_figure",
        inputs={"components": "results/layers/components.csv"},
        title="components that carry the CKA",
        category=LAYERS,
        caption_settings={"n_networks": "layers/n_networks"},
        caption=(
            "Which principal components do corresponding layers of two networks share? Variance of "
            "each component, as a share of the largest; variance of the same layer of another "
            "network along it, as a share of the largest of that layer; and the share of linear "
            "CKA that the component and those before it carry. Mean over all ordered pairs of "
            "{n_networks} trained networks (Kornblith et al. 2019, figure 8)."
        ),
    ),
    "untrained_maps": FigureEntry(
        function="networks.states_figure",
        inputs={"states": "results/layers/states.csv"},
        title="similarity of layers before and after training",
        category=LAYERS,
        caption_settings={"n_networks": "layers/n_networks", "n_untrained": "layers/n_untrained"},
        caption=(
            "Are layers similar before training? Linear CKA between every layer of a network and "
            "every layer of another, mean over pairs of networks with different seeds: "
            "{n_networks} trained networks, and {n_untrained} of them before training (Kornblith "
            "et al. 2019, figures F.4 and F.5)."
        ),
    ),
    "unrelated": FigureEntry(
        function="layers.unrelated_figure",
        inputs={"scores": "results/layers/unrelated.csv"},
        title="unrelated data, few samples",
        category=LAYERS,
        caption_settings={"n_draws": "layers/unrelated/n_draws"},
        caption=(
            "What do the measures say about unrelated data? Scores of a middle layer of a trained "
            "network with Gaussian random data of the same width, against the number of images; "
            "mean and range over {n_draws} draws. Left of the dashed line there are fewer samples "
            "than neurons, and measures that are invariant to invertible linear maps are 1 for any "
            "data."
        ),
    ),
    "trajectories": FigureEntry(
        function="captures.trajectory_figure",
        inputs={"trajectories": "results/tables/trajectories.csv"},
        title="score against update",
        category=OPTIMISATION,
        caption_settings={
            "learning_rate": "optimize/learning_rate",
            "stop_score": "optimize/stop_score",
            "max_steps": "optimize/max_steps",
        },
        caption=(
            "How fast does the score rise during optimisation? Score against the number of Adam "
            "updates (learning rate {learning_rate}), a line per random start, from the first "
            "update on. A run ends at a score of {stop_score} or after {max_steps} updates; "
            "results/tables/runs.csv gives the reason for each."
        ),
    ),
    "toy": FigureEntry(
        function="toy.toy_figure",
        inputs={"curves": "results/toy/curves.csv", "frames": "results/toy/frames.csv"},
        title="what is captured first",
        category=OPTIMISATION,
        caption_settings={"n_seeds": "optimize/n_seeds"},
        caption=(
            "What do optimised data capture first? Two fans of trajectories in two neurons, and "
            "synthetic data optimised towards them. Left: R² of the two principal components, mean "
            "and standard deviation over {n_seeds} starts. Right: the data of the first start at "
            "rising scores, scaled to the reference and rotated for display."
        ),
    ),
    "agreement": FigureEntry(
        function="captures.agreement_figure",
        inputs={
            "published": "results/tables/published.csv",
            "agreement": "results/tables/agreement.csv",
        },
        title="published against reproduced",
        category=PAPER,
        caption_settings={"n_seeds": "optimize/n_seeds"},
        caption=(
            "Are the published thresholds reproduced? Score at which each principal component is "
            "captured: reproduced (mean over the optimisations, of {n_seeds}, that captured it; "
            "with Gaussian surrogates of the published spectra, and with the recordings where they "
            "are available) against published by Cloos et al. 2025 (one optimisation). Numbers: "
            "mean absolute difference over the first 30 components that both captured, where it is "
            "beyond the tolerance that was set beforehand. Tables: published.csv and agreement.csv "
            "in results/tables."
        ),
    ),
}


def caption(name: str, values: Mapping[str, Any]) -> str:
    """Return the caption of a figure with the dataset and its settings filled in."""
    return FIGURES[name].caption.format(**values)
