"""The rules on real reports: their verdicts against labels given by people (Open-i, NegBio's gold file)."""

import json

import pytest

from maskray.benchmarks.report_labels import (
    agreement,
    answers_of_peer,
    answers_of_rules,
    half_of,
    read_open_i,
    recall_on_certain,
)
from maskray.config.preprocessing import ReportsConfig
from maskray.reports.manuscripts import merged
from maskray.reports.rules import RuleSource
from maskray.reports.vocabulary import finding_of_words


@pytest.fixture(scope="module")
def held_out(shared_data):
    """The word lists were written while reading errors of the other half only."""
    folder = shared_data / "open-i"
    if not (folder / "gold_labels.csv").is_file():
        pytest.skip(f"no gold labels in {folder}")
    return half_of(read_open_i(folder), "held_out")


@pytest.mark.parametrize(("policy", "at_least"), [("probable", 0.92), ("drop", 0.87), ("positive", 0.84)])
def test_verdicts_against_gold_labels(held_out, policy, at_least):
    found = agreement(held_out, answers_of_rules(held_out, policy))
    assert found.f1 >= at_least, found
    assert found.f1_low < found.f1 < found.f1_high


def test_certain_mentions_are_found(held_out):
    assert recall_on_certain(held_out, answers_of_rules(held_out, "uncertain")) >= 0.95


def test_better_than_a_list_of_words_with_negspacy(held_out):
    some = held_out[:400]
    ours, peer = (agreement(some, answer) for answer in (answers_of_rules(some, "probable"), answers_of_peer(some)))
    assert ours.f1 >= peer.f1 + 0.03, (ours, peer)


def test_radgraph_sample_agrees_with_the_rules(shared_data):
    """Observations that RadGraph and the rules both name get the same status."""
    path = shared_data / "knowledge" / "radgraph_sample" / "expected_processed_annotations.json"
    if not path.is_file():
        pytest.skip(f"no {path}")
    source = RuleSource()
    num_both = num_same = 0
    for report in json.loads(path.read_text()):
        ours = merged(source.extract([report["report_text"]])[0], ReportsConfig())
        by_entity = {}
        for (entity, _), exist in ours.items():
            by_entity.setdefault(entity, set()).add(exist)
        for row in report["processed_annotations"]["processed_annotations"]:
            names = [f"{place} {row['observation']}" for place in row["located_at"]] + [row["observation"]]
            finding = next((f for f in map(finding_of_words, names) if f is not None), None)
            if finding is not None and finding.phrase in by_entity:
                num_both += 1
                num_same += row["tags"][0].removeprefix("definitely ") in by_entity[finding.phrase]
    assert num_both >= 6
    assert num_same == num_both
