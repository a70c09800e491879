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
    assert words(tokenizer, texts.one(0, 1)[0]) == words(
        tokenizer, tokenizer("the heart is large. no effusion.")["input_ids"]
    )
    assert words(tokenizer, texts.one(1, 1)[0]) == words(tokenizer, tokenizer("the lungs are clear.")["input_ids"])


def test_manuscript_marks_its_answers(reports, tokenizer):
    ids, is_answer = TokenisedReports(reports, "manuscript", tokenizer, 40).one(0, 1)
    assert ids[0] == tokenizer.cls_token_id
    assert ids[-1] == tokenizer.sep_token_id
    assert words(tokenizer, ids[is_answer]).split() == ["no", "effusion", "absent"]


def test_every_style_by_its_name_within_its_pieces(reports, tokenizer):
    for name in TEXT_STYLES:
        texts = TokenisedReports(reports, name, tokenizer, 400)
        assert all(2 < len(texts.one(row, 0)[0]) <= 400 for row in (0, 1)), name
    ids, is_answer = TokenisedReports(reports, "structured", tokenizer, 900).one(0, 1)
    assert words(tokenizer, ids).replace(" ", "").startswith("definition:nofindingmeans")
    assert words(tokenizer, ids[is_answer]).split() == ["no", "effusion", "absent"]


def test_other_definitions_take_the_place_of_ours(reports, tokenizer, tmp_path):
    ours = read_definitions()
    path = tmp_path / "definitions.json"
    write_definitions(path, ours | {"Hernia": replace(ours["Hernia"], definition="The heart is clear.")})
    ids, _ = TokenisedReports(reports, "structured", tokenizer, 2000, str(path)).one(1, 1)
    assert words(tokenizer, ids).startswith("definition : the heart is clear.")


def test_sentences_are_chosen_and_shuffled_whole(reports, tokenizer):
    texts = TokenisedReports(reports, "sentences", tokenizer, 40)
    known = {words(tokenizer, tokenizer(sentence)["input_ids"]) for sentence in SENTENCES[0]}
    seen = set()
    for seed in range(60):
        text = words(tokenizer, texts.one(0, seed)[0])
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
        assert np.array_equal(first.one(0, seed)[0], second.one(0, seed)[0])


def test_long_texts_are_cut_and_still_end(reports, tokenizer):
    for text in ("sentences", "manuscript", "report"):
        ids, is_answer = TokenisedReports(reports, text, tokenizer, 6).one(0, 3)
        assert len(ids) == len(is_answer) <= 6
        assert ids[-1] == tokenizer.sep_token_id


def test_a_batch_is_padded(reports, tokenizer):
    texts = TokenisedReports(reports, "manuscript", tokenizer, 40)
    ids_BL, real_BL, answer_BL = texts.batch([0, 1, 0], [1, 2, 3])
    alone, answers = texts.one(1, 2)
    assert ids_BL.shape == real_BL.shape == answer_BL.shape
    assert ids_BL.shape[1] % 8 == 0
    assert real_BL.sum(1).tolist() == [len(texts.one(row, 0)[0]) for row in (0, 1, 0)]
    assert ids_BL[1][real_BL[1]].tolist() == alone.tolist()
    assert answer_BL[1][real_BL[1]].tolist() == answers.tolist()
    assert (ids_BL[~real_BL] == tokenizer.pad_token_id).all()
    assert not answer_BL[~real_BL].any()


def test_equal_sentences_are_stored_once(reports, tokenizer):
    many = pd.concat([reports] * 50, ignore_index=True)
    few, repeated = (TokenisedReports(frame, "sentences", tokenizer, 40) for frame in (reports, many))
    assert len(repeated) == 100
    assert len(repeated._ids) == len(few._ids)


def test_training_texts_skip_the_missing(reports):
    texts = list(training_texts(reports))
    assert len(texts) == 5
    assert all(isinstance(text, str) for text in texts)
