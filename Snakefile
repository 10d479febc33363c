"""What a similarity score between a brain and a model means: the workflow."""

from snakemake.utils import min_version

min_version("9.0.0")


include: "workflow/rules/settings.smk"


configfile: WORKFLOW / "config.yaml"


# The user's differences from the defaults, where Snakemake runs.
check_own_settings("config/config.yaml")
if Path("config/config.yaml").is_file():

    configfile: "config/config.yaml"


fill_in(config, read_yaml(WORKFLOW / "config.yaml"))
check_settings(config)


report: "workflow/report/overview.rst"


# The image with the environments of all rules, for `--sdm conda apptainer`.
if config["containerized"]:

    containerized: config["containerized"]


include: "workflow/rules/own_data.smk"
include: "workflow/rules/layered_models.smk"
include: "workflow/rules/catalogue.smk"
include: "workflow/rules/raw_files.smk"
include: "workflow/rules/common.smk"
include: "workflow/rules/code_digests.smk"
include: "workflow/rules/layer_functions.smk"
include: "workflow/rules/range_functions.smk"
include: "workflow/rules/products.smk"
include: "workflow/rules/figure_functions.smk"
include: "workflow/rules/resources.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/twins.smk"
include: "workflow/rules/optimize.smk"
include: "workflow/rules/thresholds.smk"
include: "workflow/rules/layers.smk"
include: "workflow/rules/architectures.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/decoding.smk"
include: "workflow/rules/ranges.smk"
include: "workflow/rules/perturbation.smk"
include: "workflow/rules/toy.smk"
include: "workflow/rules/scorecards.smk"
include: "workflow/rules/pages.smk"


rule all:
    default_target: True
    input:
        products(),
        "results/index.html",
    localrule: True


check_folders(folders_of_rules())


onstart:
    end_in_a_thread()
