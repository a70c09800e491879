# Paired tests between the rows of a table. No local rule: it reads the predictions of every run of the table.


wildcard_constraints:
    table=r"\w+",


rule compare_runs:
    input:
        lambda wildcards: table_cells(wildcards, "predictions.parquet"),
        metrics=f"{ROOT}/tables/{{paper}}/{{table}}.parquet",
        published=f"{TOP}/config/published/{{paper}}.csv",
    output:
        csv=f"{ROOT}/tables/{{paper}}/{{table}}-comparisons.csv",
        md=f"{ROOT}/tables/{{paper}}/{{table}}-comparisons.md",
        html=f"{ROOT}/tables/{{paper}}/{{table}}-comparisons.html",
    log:
        f"{ROOT}/logs/compare_runs/{{paper}}-{{table}}.log",
    conda:
        ENVIRONMENT
    resources:
        **needs("reports"),
    params:
        settings=lambda wildcards: by_value(jobs.table_stage(PLAN, wildcards.paper, wildcards.table), in_order=True),
    shell:
        command(
            "compare_runs",
            "--settings {params.settings:q} --table-metrics {input.metrics} --published {input.published}"
            " --csv {output.csv} --md {output.md} --html {output.html}",
        )
