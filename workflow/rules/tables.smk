# Metrics -> tables, report.
localrules:
    collect_metrics,
    collect_all_metrics,
    render_table,
    render_report,


rule collect_metrics:
    input:
        lambda wildcards: table_cells(wildcards, "predictions.parquet"),
        metrics=lambda wildcards: table_cells(wildcards, "metrics.json"),
    output:
        metrics=f"{ROOT}/tables/{{paper}}/{{table}}.parquet",
    log:
        f"{ROOT}/logs/collect_metrics/{{paper}}-{{table}}.log",
    conda:
        ENVIRONMENT
    shell:
        command("collect_metrics", "--metrics {input.metrics} --table-metrics {output.metrics}")


rule collect_all_metrics:
    input:
        metrics=PATHS.of_cells(PLAN.all_cells(), "metrics.json"),
    output:
        metrics=f"{ROOT}/metrics.parquet",
    log:
        f"{ROOT}/logs/collect_all_metrics.log",
    conda:
        ENVIRONMENT
    shell:
        command("collect_metrics", "--metrics {input.metrics} --table-metrics {output.metrics}")


rule render_table:
    input:
        metrics=f"{ROOT}/tables/{{paper}}/{{table}}.parquet",
        published=f"{TOP}/config/published/{{paper}}.csv",
        verdicts=lambda wildcards: PATHS.verdicts_of_table(wildcards.paper, wildcards.table),
    output:
        csv=f"{ROOT}/tables/{{paper}}/{{table}}.csv",
        md=f"{ROOT}/tables/{{paper}}/{{table}}.md",
        tex=f"{ROOT}/tables/{{paper}}/{{table}}.tex",
        html=f"{ROOT}/tables/{{paper}}/{{table}}.html",
    log:
        f"{ROOT}/logs/render_table/{{paper}}-{{table}}.log",
    conda:
        ENVIRONMENT
    params:
        settings=lambda wildcards: by_value(jobs.table_stage(PLAN, wildcards.paper, wildcards.table), in_order=True),
    shell:
        command(
            "render_table",
            "--settings {params.settings:q} --table-metrics {input.metrics} --published {input.published}"
            " --verdicts {input.verdicts}"
            " --csv {output.csv} --md {output.md} --tex {output.tex} --html {output.html}",
        )


rule render_report:
    input:
        **REPORT_INPUTS,
    output:
        report=f"{ROOT}/report.html",
    log:
        f"{ROOT}/logs/render_report.log",
    conda:
        ENVIRONMENT
    params:
        # A function: a prompt in the settings has braces, which are no wildcards.
        settings=lambda wildcards: by_value(jobs.report_stage(PLAN)),
    shell:
        command(
            "render_report",
            "--settings {params.settings:q} --tables {input.tables} --comparisons {input.comparisons} --figures {input.figures}"
            " --manifests {input.manifests} --splits {input.splits} --provenances {input.provenances}"
            " --verdicts {input.verdicts} --report {output.report}",
        )
