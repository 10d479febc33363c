"""What each table in results/tables/ contains, in one line."""

TABLES = {
    "scorecards": (
        "scores of every model by every measure, with interval, chance, noise ceiling and verdict"
    ),
    "comparisons": "differences between the models of a recording, with intervals and p values",
    "thresholds": (
        "score at which each component is captured and each variable decoded, over all seeds"
    ),
    "seed_thresholds": "the same for each seed",
    "runs": "each optimisation: first and last score, number of updates, why it stopped",
    "trajectories": "score after each update of each optimisation",
    "scores": "scores by every measure of data optimised towards one of them",
    "references": "decoding accuracy of each variable on the recordings, with shuffled labels",
    "decoding": "decoding accuracy of each variable from data with a given score",
    "decoding_times": "decoding accuracy of each variable at each time of the recordings",
    "ranges": "smallest and largest score of one measure for each score of another",
    "range_guides": "scores that are compatible with a high score of another measure",
    "targeted": "averages of recordings and networks along the axes of their task variables",
    "twins": "thresholds of each component of a dataset and of Gaussian data with its spectrum",
    "twin_differences": "differences between these, on average over the components",
    "perturbation": "score after one component is replaced",
    "layers": "share of the layers whose corresponding layer each measure finds",
    "published": "published numbers next to the reproduced ones",
    "published_decoding": "published decoding accuracy of variables along each score",
    "published_decoding_thresholds": (
        "score at which each variable is decoded on published curves, next to ours"
    ),
    "agreement": "differences from the published numbers, with the tolerance of each",
    "measures": "definition of each measure of the score cards, and what it cannot see",
    "availability": "files that were used, with source, checksum, licence and citation",
}
