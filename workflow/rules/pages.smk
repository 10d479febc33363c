"""Pages about a whole run: the list of its results, and the explorer."""


rule build_index:
    input:
        cards=table_if_made("scorecards"),
        availability=table_if_made("availability"),
        reports=reports_of_datasets(),
    output:
        "results/index.html",
    log:
        "results/logs/build_index.log",
    benchmark:
        "results/benchmarks/build_index.tsv"
    localrule: True
    conda:
        "../../envs/pages.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 10),
        runtime=minutes(),
    params:
        code=code_digest("build_index"),
        # Only which files there are is listed: a new version of one changes nothing here.
        products=[prefixed(product) for product in products()],
    script:
        "../scripts/build_index.py"


rule build_explorer:
    input:
        tables=explored_tables(),
        bounds=all_range_files(".bounds.csv"),
    output:
        "results/explorer.html",
    log:
        "results/logs/build_explorer.log",
    benchmark:
        "results/benchmarks/build_explorer.tsv"
    localrule: True
    conda:
        "../../envs/pages.yaml"
    threads: 1
    resources:
        mem_mb=memory(PLAIN_MB, 20),
        runtime=minutes(),
    params:
        code=code_digest("build_explorer"),
    script:
        "../scripts/build_explorer.py"
