"""Draw every figure of figures/registry.py as PDF and PNG, with the CSV of what it shows."""


rule plot_figure:
    input:
        unpack(figure_tables),
    output:
        pdf="results/figures/{figure}.pdf",
        png=report(
            "results/figures/{figure}.png",
            caption="../report/figure.rst",
            category=figure_category,
            labels=figure_labels,
        ),
        csv="results/figures/{figure}.csv",
    log:
        "results/logs/plot_figure/{figure}.log",
    benchmark:
        "results/benchmarks/plot_figure/{figure}.tsv"
    wildcard_constraints:
        figure=one_of(FIGURES_OF_ALL),
    group:
        "figures"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("plot_figure", modules=figure_modules),
        function=figure_function,
        settings=figure_settings,
        caption=figure_caption,
    script:
        "../scripts/plot_figure.py"


use rule plot_figure as plot_figure_of_dataset with:
    output:
        pdf="results/figures/{figure}/{dataset}.pdf",
        png=report(
            "results/figures/{figure}/{dataset}.png",
            caption="../report/figure.rst",
            category=figure_category,
            labels=figure_labels,
        ),
        csv="results/figures/{figure}/{dataset}.csv",
    log:
        "results/logs/plot_figure_of_dataset/{figure}/{dataset}.log",
    benchmark:
        "results/benchmarks/plot_figure_of_dataset/{figure}/{dataset}.tsv"
    wildcard_constraints:
        figure=one_of(FIGURES_BY_DATASET),


use rule plot_figure as plot_profile with:
    input:
        cards=cards_of_layers,
    output:
        pdf="results/profiles/{dataset}/{layered}.pdf",
        png="results/profiles/{dataset}/{layered}.png",
        csv="results/profiles/{dataset}/{layered}.csv",
    log:
        "results/logs/plot_profile/{dataset}/{layered}.log",
    benchmark:
        "results/benchmarks/plot_profile/{dataset}/{layered}.tsv"
    wildcard_constraints:
        layered=one_of(LAYERS_OF_MODELS) or "none",
    params:
        code=code_digest("plot_figure", modules=["scorebounds.figures.profile"]),
        function="profile.draw_layers",
        settings=lambda wildcards: {"layers": LAYERS_OF_MODELS[wildcards.layered]},
        caption="Scores of the layers of a model (dots), 95 % intervals of the corrected scores "
        "(lines, for measures that have them) and scores with permuted "
        "conditions (grey)",


# Named targets: `snakemake --cores N figure_thresholds` draws that figure and what it needs.
for figure in FIGURES:

    rule:
        name:
            f"figure_{figure}"
        input:
            figure_files(figure),
        localrule: True
