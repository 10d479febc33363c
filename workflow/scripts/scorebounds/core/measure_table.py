"""The table of similarity measures: what there is, and what other parts need to know about each.

The registry, the schema of the configuration, the labels in figures, resource requests and the
documentation read this table. It uses the standard library only, so that Snakefiles can load it by
its path. To add a measure, add an entry here, declare the measure with the same id in the module
that the entry names (`scorebounds.measures.registry.declare`), and test it.
"""

import difflib
import re
from dataclasses import dataclass

# What a family's id has in place of its parameter, and how the parameter may be written.
_PARAMETERS = {
    "<λ>": r"(?!0+(?:\.0+)?$)[0-9]+(?:\.[0-9]+)?",
    "<fraction>": r"(?!0+(?:\.0+)?$)[0-9]+(?:\.[0-9]+)?",
    "<k>": r"(?!0+$)[0-9]+",
    "<share>": r"0\.(?!0+$)[0-9]+",
}


@dataclass(frozen=True, kw_only=True)
class MeasureEntry:
    """What the table says about a measure, or about a family of measures with a parameter.

    Attributes
    ----------
    id : str
        Its id in configuration, tables and file names; of a family with a placeholder, such as
        ``ridge_<λ>``.
    label : str
        Its name in figures and pages; of a family with ``{}`` for the parameter.
    module : str
        The module of `scorebounds.measures` that declares it.
    aliases : tuple of str
        Other names that users may write; of a family they stand for its first member.
    members : tuple of str
        Parameters of the family's usual members, the first of them the default.
    has_gradient : bool
        Whether data can be optimised towards it; otherwise it can only score.
    symmetric : bool
        Whether score(x, y) equals score(y, x).
    off_scale : bool
        Whether its scores do not run up to 1, so that it needs a `scale`.
    square_matrices : int
        How many n_samples × n_samples matrices a score holds at once.
    neuron_matrices : int
        How many n_x × n_y matrices a score holds at once, of every neuron with every other.
    rotation_invariant : bool
        Whether the score stays the same when the columns of X or of Y are rotated, and their mean
        subtracted.
    few_coordinates : bool
        Whether its range can be searched in few coordinates instead of in all of Y.
    of_products : bool
        Whether its range can be searched in fewer samples: its score depends on samples through
        products and sums within folds only, and not on their number.
    saturates : bool
        Whether it is 1 for any two data sets of n_samples − 1 independent neurons each.
    cross_validated : bool
        Whether samples are held out, so that the score depends on which of them form a fold.
    of_trajectories : bool
        Whether it compares how activity goes on over time, and does not pair conditions.
    ceiling_excess : float
        By how much its noise ceiling is estimated too high at most, in simulations.
    """

    id: str
    label: str
    module: str
    aliases: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    has_gradient: bool = True
    symmetric: bool = True
    off_scale: bool = False
    square_matrices: int = 0
    neuron_matrices: int = 0
    rotation_invariant: bool = True
    few_coordinates: bool = False
    of_products: bool = False
    saturates: bool = False
    cross_validated: bool = False
    of_trajectories: bool = False
    ceiling_excess: float = 0.0

    @property
    def pattern(self) -> str:
        """Regular expression of the ids; the parameter of a family is its only group."""
        stem, placeholder, _ = re.split(r"(<.+>)|$", self.id, maxsplit=1)
        return re.escape(stem) + (f"({_PARAMETERS[placeholder]})" if placeholder else "")

    @property
    def names(self) -> list[str]:
        """Ids of the measure, or of the usual members of the family."""
        return [re.sub("<.+>", member, self.id) for member in self.members] or [self.id]

    @property
    def has_fixed_penalty(self) -> bool:
        """Whether a penalty makes the score depend on the unit of Y."""
        return "<λ>" in self.id

    def parameter(self, name: str) -> str | None:
        """Return the parameter that a member's id is written with; None without a family."""
        found = re.fullmatch(self.pattern, name)
        return found[1] if found and found.groups() else None


ENTRIES = (
    MeasureEntry(
        id="cka",
        label="CKA",
        module="kernels",
        aliases=(
            "linear_cka",
            "cka_linear",
            "centred_kernel_alignment",
            # Equal to it, as measures/whitened.py explains.
            "rsa_euclidean_whitened_cosine",
            "whitened_rdm_cosine",
        ),
        few_coordinates=True,
        of_products=True,
    ),
    MeasureEntry(
        id="cka_angular",
        label="angular CKA",
        module="kernels",
        aliases=("angular_cka",),
        few_coordinates=True,
        of_products=True,
    ),
    MeasureEntry(
        id="cka_debiased",
        label="debiased CKA",
        module="kernels",
        aliases=("debiased_cka", "unbiased_cka", "cka_unbiased"),
    ),
    MeasureEntry(
        id="cka_corrected",
        label="corrected CKA",
        module="sampled",
        aliases=("cka_chun", "corrected_cka"),
        has_gradient=False,
        rotation_invariant=False,
    ),
    MeasureEntry(
        id="cka_corrected_x",
        label="corrected CKA (X sampled)",
        module="sampled",
        has_gradient=False,
        symmetric=False,
        rotation_invariant=False,
    ),
    MeasureEntry(
        id="hsic", label="HSIC", module="kernels", aliases=("linear_hsic",), off_scale=True
    ),
    MeasureEntry(
        id="nbs",
        label="NBS",
        module="shapes",
        aliases=("bures", "normalized_bures", "normalised_bures", "normalized_bures_similarity"),
        few_coordinates=True,
        of_products=True,
    ),
    MeasureEntry(
        id="procrustes_angular",
        label="angular Procrustes",
        module="shapes",
        aliases=("procrustes", "angular_procrustes", "procrustes_angular_score"),
        few_coordinates=True,
        of_products=True,
    ),
    MeasureEntry(
        id="procrustes_distance", label="Procrustes distance", module="shapes", off_scale=True
    ),
    MeasureEntry(
        id="procrustes_normalised",
        label="normalised Procrustes",
        module="shapes",
        aliases=("procrustes_normalized",),
        off_scale=True,
    ),
    MeasureEntry(
        id="linreg",
        label="linear regression",
        module="regression",
        aliases=("linear_regression", "r2"),
        symmetric=False,
        few_coordinates=True,
        saturates=True,
        of_products=True,
    ),
    MeasureEntry(
        id="linreg_reverse",
        label="reverse linear regression",
        module="regression",
        symmetric=False,
        saturates=True,
        of_products=True,
    ),
    MeasureEntry(
        id="linreg_symmetric",
        label="symmetric linear regression",
        module="regression",
        saturates=True,
        of_products=True,
    ),
    MeasureEntry(
        id="linreg_cv",
        label="linear regression CV",
        module="cross_validation",
        symmetric=False,
        cross_validated=True,
        of_products=True,
    ),
    MeasureEntry(
        id="ridge_cv_tuned",
        label="ridge CV (tuned)",
        module="cross_validation",
        aliases=("ridge", "ridge_cv", "ridge_tuned"),
        has_gradient=False,
        symmetric=False,
        cross_validated=True,
    ),
    MeasureEntry(id="rsa_euclidean_cosine", label="RSA, Euclidean, cosine", module="dissimilarity"),
    MeasureEntry(
        id="rsa_euclidean_pearson", label="RSA, Euclidean, Pearson", module="dissimilarity"
    ),
    MeasureEntry(
        id="rsa_euclidean_spearman",
        label="RSA, Euclidean, Spearman",
        module="dissimilarity",
        has_gradient=False,
        square_matrices=4,
    ),
    MeasureEntry(
        id="rsa_correlation_cosine",
        label="RSA, correlation, cosine",
        module="dissimilarity",
        rotation_invariant=False,
    ),
    MeasureEntry(
        id="rsa_correlation_pearson",
        label="RSA, correlation, Pearson",
        module="dissimilarity",
        aliases=("rsa", "rsa_correlation", "rsa_pearson"),
        rotation_invariant=False,
        ceiling_excess=0.06,
    ),
    MeasureEntry(
        id="rsa_euclidean_whitened_pearson",
        label="RSA, Euclidean, whitened Pearson",
        module="whitened",
        aliases=("whitened_rdm_correlation",),
    ),
    MeasureEntry(
        id="rsa_correlation_whitened_cosine",
        label="RSA, correlation, whitened cosine",
        module="whitened",
        rotation_invariant=False,
    ),
    MeasureEntry(
        id="rsa_correlation_whitened_pearson",
        label="RSA, correlation, whitened Pearson",
        module="whitened",
        rotation_invariant=False,
    ),
    MeasureEntry(
        id="cca",
        label="CCA ρ̄",
        module="cca",
        aliases=("mean_cca",),
        saturates=True,
        of_products=True,
    ),
    MeasureEntry(
        id="cca_r2",
        label="CCA R²",
        module="cca",
        saturates=True,
        of_products=True,
    ),
    MeasureEntry(
        id="svcca",
        label="SVCCA ρ̄",
        module="cca",
        of_products=True,
    ),
    MeasureEntry(
        id="svcca_r2",
        label="SVCCA R²",
        module="cca",
        of_products=True,
    ),
    MeasureEntry(
        id="pwcca",
        label="PWCCA",
        module="cca",
        symmetric=False,
        saturates=True,
        of_products=True,
        rotation_invariant=False,
    ),
    MeasureEntry(id="ensd", label="shared dimensions", module="kernels", has_gradient=False),
    MeasureEntry(
        id="soft_matching",
        label="soft matching",
        module="transport",
        has_gradient=False,
        neuron_matrices=4,
        rotation_invariant=False,
    ),
    MeasureEntry(
        id="permutation_matching",
        label="permutation matching",
        module="transport",
        has_gradient=False,
        neuron_matrices=4,
        rotation_invariant=False,
    ),
    MeasureEntry(
        id="distance_correlation",
        label="distance correlation",
        module="dissimilarity",
        aliases=("dcor",),
        has_gradient=False,
        square_matrices=4,
    ),
    MeasureEntry(
        id="dsa",
        label="DSA",
        module="dynamics",
        aliases=("dynamical_similarity", "dynamical_similarity_analysis"),
        has_gradient=False,
        of_trajectories=True,
    ),
    MeasureEntry(
        id="cka_rbf_<fraction>",
        label="RBF CKA ({})",
        module="kernels",
        aliases=("cka_rbf", "rbf_cka"),
        members=("0.4", "0.2", "0.8"),
        square_matrices=10,
    ),
    MeasureEntry(
        id="svcca_<share>",
        label="SVCCA ρ̄ ({} of the variance)",
        module="cca",
        members=("0.9",),
        of_products=True,
    ),
    MeasureEntry(
        id="svcca_r2_<share>",
        label="SVCCA R² ({} of the variance)",
        module="cca",
        members=("0.9",),
        of_products=True,
    ),
    MeasureEntry(
        id="ridge_<λ>",
        label="ridge (λ = {})",
        module="regression",
        members=("100",),
        symmetric=False,
        of_products=True,
    ),
    MeasureEntry(
        id="ridge_cv_<λ>",
        label="ridge CV (λ = {})",
        module="cross_validation",
        members=("100",),
        symmetric=False,
        cross_validated=True,
        of_products=True,
    ),
    MeasureEntry(
        id="ridge_cv_pearson_<λ>",
        label="ridge CV, Pearson (λ = {})",
        module="prediction",
        aliases=("ridge_cv_pearson", "ridge_pearson"),
        members=("100",),
        has_gradient=False,
        symmetric=False,
        cross_validated=True,
        rotation_invariant=False,
    ),
    MeasureEntry(
        id="pls_cv_pearson_<k>",
        label="PLS CV, Pearson ({} comp.)",
        module="prediction",
        aliases=("pls_cv_pearson", "pls", "brainscore"),
        members=("25",),
        has_gradient=False,
        symmetric=False,
        cross_validated=True,
        rotation_invariant=False,
    ),
    MeasureEntry(
        id="mutual_knn_<k>",
        label="mutual k-NN ({})",
        module="neighbours",
        aliases=("mutual_knn", "knn", "mknn"),
        members=("10",),
        has_gradient=False,
        rotation_invariant=False,
    ),
)
_ALIASES = {alias: entry.names[0] for entry in ENTRIES for alias in entry.aliases}


def measure_names() -> list[str]:
    """List the ids of all measures; of a family, those of its usual members."""
    return [name for entry in ENTRIES for name in sorted(entry.names)]


def find_entry(name: str) -> MeasureEntry | None:
    """Return the entry of a measure by its id; None if there is no such measure."""
    return next((entry for entry in ENTRIES if re.fullmatch(entry.pattern, name)), None)


def entry_of(name: str) -> MeasureEntry:
    """Return the entry of a measure by its id.

    Raises
    ------
    ValueError
        If there is no such measure; the message suggests near ids and lists all of them.
    """
    entry = find_entry(name)
    if entry is None:
        raise ValueError(unknown_measure(name))
    return entry


def canonical_name(name: str) -> str:
    """Return the id of a measure from its id or an alias, in any case, with hyphens or spaces.

    Raises
    ------
    ValueError
        As `entry_of`.

    Examples
    --------
    >>> canonical_name("Linear-CKA")
    'cka'
    """
    plain = _plain(name)
    for candidate in (name, plain, _ALIASES.get(plain, "")):
        if find_entry(candidate):
            return candidate
    raise ValueError(unknown_measure(name))


def unknown_measure(name: str) -> str:
    """Return the sentence that says that a measure is unknown, and which ids are meant perhaps."""
    known = {each: each for each in measure_names()} | _ALIASES
    close = difflib.get_close_matches(_plain(name), known, n=3, cutoff=0.6)
    meant = list(dict.fromkeys(known[each] for each in close))
    hint = f" (did you mean {' or '.join(map(repr, meant))}?)" if meant else ""
    return (
        f"unknown measure {name!r}{hint}; expected one of: "
        f"{', '.join(entry.id for entry in ENTRIES)}"
    )


def measure_label(name: str) -> str:
    """Return the name of a measure for readers."""
    entry = find_entry(name)
    return entry.label.format(entry.parameter(name)) if entry else name


def measure_order(name: str) -> int:
    """Return the place of a measure in the table, to sort by; unknown ones come last."""
    entry = find_entry(name)
    return ENTRIES.index(entry) if entry else len(ENTRIES)


def id_pattern(*, with_gradient: bool = False) -> str:
    """Return a regular expression of all ids, or of those of measures that have a gradient."""
    entries = [entry for entry in ENTRIES if entry.has_gradient or not with_gradient]
    # In Python's expressions `$` also matches before a final line break.
    return f"^(?:{'|'.join(entry.pattern for entry in entries)})$(?!\\n)"


def _plain(name: str) -> str:
    return re.sub(r"[\s-]+", "_", name.strip().lower())
