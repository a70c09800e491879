"""A leak planted in made data stops the workflow where the settings say so, and is declared where they do not."""

import json

import yaml

CHECK = "nih-official/nih-official"
VERDICT = f"results/micro/leakage/{CHECK}.json"


def test_a_planted_copy_stops_the_run_or_is_declared(fresh):
    settings = yaml.safe_load((fresh.folder / "micro.yaml").read_text())
    settings["made"] = {"num_studies": {"mimic": 8, "nih": 24}, "image_px": 64, "leaks": ["nih_copy"]}
    settings["leakage"] = {"task": {"picture": "error"}}
    (fresh.folder / "leaky.yaml").write_text(yaml.safe_dump(settings))
    run = ("--configfile", "leaky.yaml", "--", VERDICT)
    assert fresh.snakemake(*run, check=False).returncode != 0
    log = (fresh.folder / f"results/micro/logs/check_leakage/{CHECK}.log").read_text()
    assert "00030001_000.png ~ 00000001_000.png" in log
    assert "leakage.task.picture: declare" in log
    assert "Traceback" not in log
    assert not (fresh.folder / VERDICT).exists()

    settings["leakage"] = {"task": {"picture": "declare"}}
    (fresh.folder / "leaky.yaml").write_text(yaml.safe_dump(settings))
    fresh.snakemake(*run)
    verdict = json.loads((fresh.folder / VERDICT).read_text())
    assert verdict["verdict"] == "declared"
    assert "look the same as films of other patients in the training part" in verdict["flags"][0]
    assert fresh.job_counts(*run) == {}
