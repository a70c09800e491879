"""Definitions by a language model are made only where a paper asks for them."""

import json

TABLE = "results/tables/maco/table1.md"


def test_a_paper_that_names_the_file_asks_for_it(fresh):
    assert "generate_definitions" not in fresh.job_counts(TABLE)
    overlay = {"overlay": {"maco": {"pretrain": {"definitions": "results/definitions.json"}}}}
    (fresh.folder / "mine.yaml").write_text(json.dumps(overlay | {"generate_definitions": {"model": "a model"}}))
    result = fresh.snakemake("-n", "-p", "--configfile", "mine.yaml", "--", TABLE)
    assert "--model='a model' --endpoint= --key-variable=MASKRAY_API_KEY " in result.stdout
    assert result.stdout.count("rule generate_definitions:") == 1
