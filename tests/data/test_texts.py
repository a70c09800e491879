"""Word pieces of reports, and batches of them."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from maskray.data.texts import TokenisedReports, training_texts
from maskray.reports.definitions import read_definitions, write_definitions
from maskray.reports.styles import TEXT_STYLES
from maskray.reports.tokens import build_tokenizer, load_tokenizer

SENTENCES = [["the heart is large.", "no effusion.", "the lungs are clear.", "a tube is seen."], ["no effusion."]]
MANUSCRIPT = "is there effusion? no. verdict: effusion absent."
ANSWERS = [[19, 21], [32, 47]]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    build_tokenizer([*(s for row in SENTENCES for s in row), MANUSCRIPT], 200, folder)
    return load_tokenizer(folder)


@pytest.fixture
def reports():
    return pd.DataFrame(
        {
            "findings": ["the heart is large.", None],
            "impression": ["no effusion.", "the lungs are clear."],
            "sentences": SENTENCES,
            "manuscript": [MANUSCRIPT, "no. no."],
            "answers": [json.dumps(ANSWERS), "[]"],
            "observations": ['[["effusion", "", "absent"]]', "[]"],
            "verdicts": ['{"Pleural Effusion": "absent"}', '{"Hernia": "present"}'],
            "mesh": ["[]", "[]"],
        }
    )


def words(tokenizer, ids):
    return tokenizer.decode(ids, skip_special_tokens=True)


def test_report_is_findings_and_impression(reports, tokenizer):
    texts = TokenisedReports(reports, "report", tokenizer, 40)
    assert words(tokenizer, texts.one(0, 1)["ids"]) == words(
        tokenizer, tokenizer("the heart is large. no effusion.")["input_ids"]
    )
    assert words(tokenizer, texts.one(1, 1)["ids"]) == words(tokenizer, tokenizer("the lungs are clear.")["input_ids"])


def test_manuscript_marks_its_answers(reports, tokenizer):
    pieces = TokenisedReports(reports, "manuscript", tokenizer, 40).one(0, 1)
    ids, is_answer = pieces["ids"], pieces["is_answer"]
    assert ids[0] == tokenizer.cls_token_id
    assert ids[-1] == tokenizer.sep_token_id
    assert words(tokenizer, ids[is_answer]).split() == ["no", "effusion", "absent"]


def test_every_style_by_its_name_within_its_pieces(reports, tokenizer):
    for name in TEXT_STYLES:
        texts = TokenisedReports(reports, name, tokenizer, 400)
        assert all(2 < len(texts.one(row, 0)["ids"]) <= 400 for row in (0, 1)), name
    pieces = TokenisedReports(reports, "structured", tokenizer, 900).one(0, 1)
    ids, is_answer = pieces["ids"], pieces["is_answer"]
    assert words(tokenizer, ids).replace(" ", "").startswith("definition:nofindingmeans")
    assert words(tokenizer, ids[is_answer]).split() == ["no", "effusion", "absent"]


def test_other_definitions_take_the_place_of_ours(reports, tokenizer, tmp_path):
    ours = read_definitions()
    path = tmp_path / "definitions.json"
    write_definitions(path, ours | {"Hernia": replace(ours["Hernia"], definition="The heart is clear.")})
    ids = TokenisedReports(reports, "structured", tokenizer, 2000, str(path)).one(1, 1)["ids"]
    assert words(tokenizer, ids).startswith("definition : the heart is clear.")


def test_sentences_are_chosen_and_shuffled_whole(reports, tokenizer):
    texts = TokenisedReports(reports, "sentences", tokenizer, 40)
    known = {words(tokenizer, tokenizer(sentence)["input_ids"]) for sentence in SENTENCES[0]}
    seen = set()
    for seed in range(60):
        text = words(tokenizer, texts.one(0, seed)["ids"])
        chosen = [part.strip() + " ." for part in text.replace(".", " .").split(" .") if part.strip()]
        plain = {sentence.replace(".", " .").replace("  ", " ") for sentence in known}
        assert len(chosen) >= 1
        assert len(set(chosen)) == len(chosen)
        assert set(chosen) <= plain
        seen.add(tuple(chosen))
    assert {len(chosen) for chosen in seen} == {1, 2, 3, 4}
    assert len(seen) > 20


def test_sentences_are_a_function_of_the_seed(reports, tokenizer):
    first, second = (TokenisedReports(reports, "sentences", tokenizer, 40) for _ in range(2))
    for seed in range(10):
        assert np.array_equal(first.one(0, seed)["ids"], second.one(0, seed)["ids"])


def test_long_texts_are_cut_and_still_end(reports, tokenizer):
    for text in ("sentences", "manuscript", "report"):
        pieces = TokenisedReports(reports, text, tokenizer, 6).one(0, 3)
        ids, is_answer = pieces["ids"], pieces["is_answer"]
        assert len(ids) == len(is_answer) <= 6
        assert ids[-1] == tokenizer.sep_token_id


def test_a_batch_is_padded(reports, tokenizer):
    texts = TokenisedReports(reports, "manuscript", tokenizer, 40)
    fields = texts.batch([0, 1, 0], [1, 2, 3])
    names = ("token_ids_BL", "token_is_real_BL", "token_is_answer_BL")
    ids_BL, real_BL, answer_BL = (fields[name] for name in names)
    alone = texts.one(1, 2)
    assert len({tuple(field.shape) for field in fields.values()}) == 1
    assert ids_BL.shape[1] % 8 == 0
    assert real_BL.sum(1).tolist() == [len(texts.one(row, 0)["ids"]) for row in (0, 1, 0)]
    assert ids_BL[1][real_BL[1]].tolist() == alone["ids"].tolist()
    assert answer_BL[1][real_BL[1]].tolist() == alone["is_answer"].tolist()
    assert (ids_BL[~real_BL] == tokenizer.pad_token_id).all()
    assert not answer_BL[~real_BL].any()


def test_equal_sentences_are_stored_once(reports, tokenizer):
    many = pd.concat([reports] * 50, ignore_index=True)
    few, repeated = (TokenisedReports(frame, "sentences", tokenizer, 40) for frame in (reports, many))
    assert len(repeated) == 100
    assert len(repeated._pieces) == len(few._pieces)


def test_training_texts_skip_the_missing(reports):
    texts = list(training_texts(reports))
    assert len(texts) == 5
    assert all(isinstance(text, str) for text in texts)


def test_words_and_sentences_are_numbered_and_guides_marked(reports, tokenizer):
    reports["findings"] = ["zebra is large and round. no effusion.", None]
    reports["mesh"] = ["[[29, 37]]", "[]"]
    pieces = TokenisedReports(reports, "report", tokenizer, 60).one(0, 1)
    words_of = [words(tokenizer, pieces["ids"][pieces["word"] == number]) for number in (1, 2, 6, 8)]
    assert [word.replace(" ", "") for word in words_of] == ["zebra", "is", ".", "effusion"]
    assert words(tokenizer, pieces["ids"][pieces["is_guide"]]) == "effusion"
    # "no effusion." has too few words to stand alone.
    first = words(tokenizer, pieces["ids"][pieces["sentence"] == 1])
    assert first.replace(" ", "") == "zebraislargeandround."
    assert pieces["sentence"].max() == 1
    assert not pieces["word"][[0, -1]].any()


def test_words_count_on_over_chosen_sentences(reports, tokenizer):
    texts = TokenisedReports(reports, "sentences", tokenizer, 40)
    pieces = max((texts.one(0, seed) for seed in range(20)), key=len)
    numbers = pieces["word"][1:-1]
    assert (np.diff(numbers) >= 0).all()
    assert numbers.max() == len(words(tokenizer, pieces["ids"]).replace(".", " .").split())


def test_a_report_marks_entities_where_they_are_asked_for(reports, tokenizer):
    marked = reports.assign(entities=["[[4, 9]]", "[[4, 9]]"], mesh=["[[13, 18]]", "[]"])
    texts = {kind: TokenisedReports(marked, "report", tokenizer, 40, guides=kind) for kind in ("", "mesh", "entities")}
    for kind, expected in (("", "large"), ("mesh", "large"), ("entities", "heart")):
        pieces = texts[kind].one(0, 1)
        assert words(tokenizer, pieces["ids"][pieces["is_guide"]]).replace(" ", "").replace("##", "") == expected, kind
