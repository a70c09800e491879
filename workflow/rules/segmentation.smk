# Pictures of segmentation: true and drawn masks on test films.
rule draw_segmentation:
    input:
        unpack(segmentation_inputs),
    output:
        png=f"{ROOT}/figures/{{paper}}-{{variant}}-seed{{pretrain_seed}}-{{dataset}}_segmentation.png",
    log:
        f"{ROOT}/logs/draw_segmentation/{{paper}}-{{variant}}-seed{{pretrain_seed}}-{{dataset}}.log",
    conda:
        ENVIRONMENT
    resources:
        **needs("reports"),
    params:
        title=lambda w: f"{w.paper}, variant {w.variant}: segmentation, {PLAN.datasets[w.dataset]['title']}",
        num_films=config.get("num_gallery_images", 6),
        note=lambda wildcards: config["data_note"],
    shell:
        command(
            "draw_segmentation",
            "--drawn {input.drawn} --manifest {input.manifest} --num-films {params.num_films}"
            " --title {params.title:q} --data-note {params.note:q} --figure {output.png}",
        )
