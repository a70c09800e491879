# Pictures of phrase grounding: phrases on their films, and scores over the temperature of position weights.
localrules:
    draw_tau_sweep,


rule draw_grounding:
    input:
        unpack(grounding_inputs),
    output:
        png=f"{ROOT}/figures/{{paper}}-{{variant}}-seed{{pretrain_seed}}-{{dataset}}_grounding.png",
    log:
        f"{ROOT}/logs/draw_grounding/{{paper}}-{{variant}}-seed{{pretrain_seed}}-{{dataset}}.log",
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        **needs("reports"),
    params:
        settings=lambda w: by_value(jobs.evaluation_stage(PLAN, w.paper, w.variant, f"{w.dataset}_grounding")),
        pretrained=pretrained_folders,
        num_phrases=config.get("num_gallery_images", 6),
        note=lambda wildcards: config["data_note"],
        # A patient's report is in no picture.
        text=lambda wildcards: "--show-phrases" if PLAN.is_made(wildcards.dataset) else "",
    shell:
        command(
            "draw_grounding",
            "--settings {params.settings:q} --pretrained {params.pretrained} --index {input.index} --split {input.split}"
            " --manifest {input.manifest} --num-phrases {params.num_phrases} --data-note {params.note:q}"
            " {params.text} --figure {output.png}",
        )


rule draw_tau_sweep:
    input:
        metrics=f"{MODEL}/{{dataset}}_grounding/metrics.json",
        published=f"{TOP}/config/published/{{paper}}.csv",
    output:
        svg=f"{ROOT}/figures/{{paper}}-{{variant}}-seed{{pretrain_seed}}-{{dataset}}_grounding_tau.svg",
        png=f"{ROOT}/figures/{{paper}}-{{variant}}-seed{{pretrain_seed}}-{{dataset}}_grounding_tau.png",
    log:
        f"{ROOT}/logs/draw_tau_sweep/{{paper}}-{{variant}}-seed{{pretrain_seed}}-{{dataset}}.log",
    conda:
        ENVIRONMENT
    params:
        heading=lambda wildcards: PLAN.datasets[wildcards.dataset]["title"],
        title=lambda w: f"{w.paper}, {w.variant}, seed {w.pretrain_seed}, phrase grounding: {config['data_note']}",
    shell:
        command(
            "draw_tau_sweep",
            "--metrics {input.metrics} --published {input.published} --heading {params.heading:q}"
            " --title {params.title:q} --figure {output.svg} --png {output.png}",
        )
