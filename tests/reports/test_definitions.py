import json
from pathlib import Path

import pytest

from maskray.errors import InputError
from maskray.reports.definitions import KINDS, prompt_of, read_definitions, write_definitions
from maskray.reports.sentences import split_sentences
from maskray.reports.vocabulary import FINDINGS

DEFINITIONS = read_definitions()
TABLE = Path(__file__).parents[2] / "src/maskray/reports/definitions.json"


def test_the_whole_vocabulary_is_defined_in_its_order():
    assert list(DEFINITIONS) == list(FINDINGS)
    for labels in ("nih", "chexpert", "covid_chestxray"):
        assert {f.name for f in FINDINGS.values() if labels in f.labels} <= set(DEFINITIONS)


@pytest.mark.parametrize("name", FINDINGS)
def test_each_text_has_its_length_its_subject_and_its_sources(name):
    each = DEFINITIONS[name]
    assert 1 <= len(split_sentences(each.definition)) <= 2
    assert 2 <= len(split_sentences(each.appearance)) <= 4
    assert 60 <= len(each.definition) <= 240
    assert 200 <= len(each.appearance) <= 480
    assert all(text.endswith(".") and text == " ".join(text.split()) for text in (each.definition, each.appearance))
    # The text encoder must learn from it what the word means that manuscripts and prompts use.
    assert set(FINDINGS[name].phrase.split()) & set(each.definition.lower().replace(",", "").split())
    assert each.sources
    assert each.model == "written by hand"
    assert dict(each.prompts) == {kind: prompt_of(name, kind) for kind in KINDS}


def test_no_finding_is_defined_by_the_text_of_another():
    sentences = [
        sentence
        for each in DEFINITIONS.values()
        for text in (each.definition, each.appearance)
        for sentence in split_sentences(text)
    ]
    assert len(sentences) == len(set(sentences))


def test_every_reference_is_used_and_can_be_found():
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    used = {key for row in table["findings"].values() for key in row["sources"]}
    assert used == set(table["sources"])
    assert all(
        any(word in text for word in ("doi:", "arXiv:", "Elsevier", "Kluwer")) for text in table["sources"].values()
    )


def test_only_names_of_the_vocabulary_become_prompts():
    assert prompt_of("Pleural Effusion", "definition").startswith("Define pleural effusion. ")
    for text in ("Jane Doe has a pleural effusion", "pleural effusion", ""):
        with pytest.raises(InputError, match="not a finding") as error:
            prompt_of(text, "appearance")
        assert not text or text not in str(error.value)


def test_written_definitions_are_read_again(tmp_path):
    write_definitions(tmp_path / "d.json", {name: each for name, each in reversed(DEFINITIONS.items())})
    again = read_definitions(tmp_path / "d.json")
    assert list(again) == list(FINDINGS)
    assert {n: (d.definition, d.appearance) for n, d in again.items()} == {
        n: (d.definition, d.appearance) for n, d in DEFINITIONS.items()
    }


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda t: t["findings"].pop("Hernia"), "lacks Hernia"),
        (lambda t: t["findings"].update(Gout=t["findings"]["Hernia"]), "unknown: Gout"),
        (lambda t: t["findings"]["Hernia"].update(appearance=" "), "Hernia: appearance is empty"),
        (lambda t: t["findings"]["Hernia"].update(sources=["nobody"]), "source 'nobody' is not listed"),
        (lambda t: t.pop("findings"), "no key findings"),
    ],
)
def test_damaged_files_are_refused(tmp_path, damage, message):
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    damage(table)
    path = tmp_path / "d.json"
    path.write_text(json.dumps(table))
    with pytest.raises(InputError, match=message):
        read_definitions(path)
