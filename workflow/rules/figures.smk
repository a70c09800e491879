# Tables as charts; pictures of a pre-training.
localrules:
    draw_chart,
    draw_learning_curves,
    draw_weight_maps,


rule draw_chart:
    input:
        metrics=f"{ROOT}/tables/{{paper}}/{{table}}.parquet",
        published=f"{TOP}/config/published/{{paper}}.csv",
    output:
        svg=f"{ROOT}/figures/{{paper}}-{{table}}-chart.svg",
        png=f"{ROOT}/figures/{{paper}}-{{table}}-chart.png",
    log:
        f"{ROOT}/logs/draw_chart/{{paper}}-{{table}}.log",
    conda:
        ENVIRONMENT
    params:
        settings=lambda wildcards: by_value(jobs.table_stage(PLAN, wildcards.paper, wildcards.table), in_order=True),
    shell:
        command(
            "draw_chart",
            "--settings {params.settings:q} --table-metrics {input.metrics} --published {input.published}"
            " --figure {output.svg} --png {output.png}",
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


rule draw_text_mask:
    input:
        unpack(gallery_inputs),
        weights=f"{MODEL}/pretrain/weights.safetensors",
    output:
        svg=f"{ROOT}/figures/{{paper}}-{{variant}}-seed{{pretrain_seed}}-text_mask.svg",
        png=f"{ROOT}/figures/{{paper}}-{{variant}}-seed{{pretrain_seed}}-text_mask.png",
    log:
        f"{ROOT}/logs/draw_text_mask/{{paper}}-{{variant}}-seed{{pretrain_seed}}.log",
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        **needs("reports"),
    params:
        pretrained=lambda wildcards, input: str(Path(input.weights).parent),
        title=lambda wildcards: f"{wildcards.paper}, {wildcards.variant}, seed {wildcards.pretrain_seed}: {config['data_note']}",
        text=report_flag,
    shell:
        command(
            "draw_text_mask",
            "--pretrained {params.pretrained} --index {input.indexes} --split {input.splits}"
            " --manifest {input.manifests} --reports {input.reports} --title {params.title:q} {params.text}"
            " --figure {output.svg} --png {output.png}",
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
        title=lambda wildcards: f"{wildcards.paper}, variant {wildcards.variant}",
        num_images=config.get("num_gallery_images", 6),
        note=lambda wildcards: config["data_note"],
        text=report_flag,
    shell:
        command(
            "draw_gallery",
            "--pretrained {params.pretrained} --index {input.indexes} --split {input.splits}"
            " --manifest {input.manifests} --reports {input.reports} --num-images {params.num_images}"
            " --title {params.title:q} --data-note {params.note:q} {params.text} --figure {output.png}",
        )


rule draw_side_by_side:
    input:
        unpack(side_by_side_inputs),
    output:
        png=f"{ROOT}/figures/{{paper}}-{{gallery}}-side_by_side.png",
    log:
        f"{ROOT}/logs/draw_side_by_side/{{paper}}-{{gallery}}.log",
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        **needs("reports"),
    params:
        pretrained=pretrained_folders,
        names=lambda w: list(gallery(PLAN, w.paper, w.gallery)["variants"]),
        title=lambda w: f"{w.paper}: {gallery(PLAN, w.paper, w.gallery)['title']}",
        num_images=config.get("num_gallery_images", 6),
        note=lambda wildcards: config["data_note"],
    shell:
        command(
            "draw_gallery",
            "--pretrained {params.pretrained} --names {params.names:q} --index {input.indexes} --split {input.splits}"
            " --manifest {input.manifests} --reports {input.reports} --num-images {params.num_images}"
            " --title {params.title:q} --data-note {params.note:q} --figure {output.png}",
        )
