# Metrics -> tables, figures, report.
localrules:
    collect_metrics,
    collect_all_metrics,
    render_table,
    draw_learning_curves,
    draw_weight_maps,
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


rule draw_learning_curves:
    input:
        history=f"{ROOT}/{{paper}}/{{variant}}/seed{{pretrain_seed}}/pretrain/log.csv",
    output:
        svg=f"{ROOT}/figures/{{paper}}-{{variant}}-seed{{pretrain_seed}}-learning_curves.svg",
        png=f"{ROOT}/figures/{{paper}}-{{variant}}-seed{{pretrain_seed}}-learning_curves.png",
    log:
        f"{ROOT}/logs/draw_learning_curves/{{paper}}-{{variant}}-seed{{pretrain_seed}}.log",
    conda:
        ENVIRONMENT
    params:
        title=lambda wildcards: f"{wildcards.paper}, {wildcards.variant}, seed {wildcards.pretrain_seed}: {config['data_note']}",
    shell:
        command(
            "draw_learning_curves",
            "--log {input.history} --title {params.title:q} --figure {output.svg} --png {output.png}",
        )


rule draw_weight_maps:
    input:
        maps=f"{MODEL}/pretrain/maps.csv",
    output:
        svg=f"{ROOT}/figures/{{paper}}-{{variant}}-seed{{pretrain_seed}}-weight_maps.svg",
        png=f"{ROOT}/figures/{{paper}}-{{variant}}-seed{{pretrain_seed}}-weight_maps.png",
    log:
        f"{ROOT}/logs/draw_weight_maps/{{paper}}-{{variant}}-seed{{pretrain_seed}}.log",
    conda:
        ENVIRONMENT
    params:
        title=lambda wildcards: f"{wildcards.paper}, {wildcards.variant}, seed {wildcards.pretrain_seed}: {config['data_note']}",
    shell:
        command(
            "draw_weight_maps",
            "--maps {input.maps} --title {params.title:q} --figure {output.svg} --png {output.png}",
        )


rule draw_gallery:
    input:
        unpack(gallery_inputs),
        weights=f"{MODEL}/pretrain/weights.safetensors",
    output:
        png=f"{ROOT}/figures/{{paper}}-{{variant}}-seed{{pretrain_seed}}-gallery.png",
    log:
        f"{ROOT}/logs/draw_gallery/{{paper}}-{{variant}}-seed{{pretrain_seed}}.log",
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        **needs("reports"),
    params:
        pretrained=lambda wildcards, input: str(Path(input.weights).parent),
        num_images=config.get("num_gallery_images", 6),
        note=lambda wildcards: config["data_note"],
    shell:
        command(
            "draw_gallery",
            "--pretrained {params.pretrained} --index {input.indexes} --split {input.splits}"
            " --manifest {input.manifests} --reports {input.reports} --num-images {params.num_images}"
            " --data-note {params.note:q} --figure {output.png}",
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
            "--settings {params.settings:q} --tables {input.tables} --figures {input.figures}"
            " --manifests {input.manifests} --splits {input.splits} --provenances {input.provenances}"
            " --verdicts {input.verdicts} --report {output.report}",
        )
