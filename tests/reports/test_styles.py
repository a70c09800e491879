import json

import pandas as pd
import pytest

from maskray.config.preprocessing import ReportsConfig
from maskray.data.pairs import has_text
from maskray.errors import InputError
from maskray.reports.definitions import read_definitions
from maskray.reports.manuscripts import write_manuscript
from maskray.reports.pieces import estimate_pieces
from maskray.reports.rules import RuleSource
from maskray.reports.structure import SCHEMA
from maskray.reports.styles import (
    EXTRA_COLUMNS,
    TEXT_STYLES,
    Writing,
    extra_columns,
    style_of,
    style_words,
    text_of,
)
from maskray.reports.tokens import build_tokenizer, encode

FINDINGS = "There is a small left pleural effusion. No pneumothorax. Possible pneumonia."
IMPRESSION = "Left pleural effusion."
DEFINITIONS = read_definitions()


@pytest.fixture(scope="module")
def triplets():
    return RuleSource().extract([text_of(FINDINGS, IMPRESSION)])[0]


@pytest.fixture(scope="module")
def row(triplets):
    manuscript = write_manuscript(triplets, ReportsConfig())
    return {
        "findings": FINDINGS,
        "impression": IMPRESSION,
        "manuscript": manuscript.text,
        "answers": json.dumps(manuscript.answers),
    } | extra_columns(text_of(FINDINGS, IMPRESSION), triplets, ReportsConfig())


def write(style, row, max_pieces=2_000):
    return style_of(style).writer(Writing(DEFINITIONS, max_pieces, estimate_pieces))(row)


def words(written, spans):
    return [written.text[start:end] for start, end in spans]


def test_stored_columns(row, triplets):
    assert set(EXTRA_COLUMNS) <= set(SCHEMA.names)
    assert json.loads(row["observations"])[0] == ["pleural effusion", "left pleural space", "present"]
    decided = json.loads(row["verdicts"])
    assert (decided["Pleural Effusion"], decided["Pneumothorax"], decided["Pneumonia"]) == (
        "present", "absent", "uncertain",
    )  # fmt: skip
    text = text_of(FINDINGS, IMPRESSION)
    assert [text[a:b] for a, b in json.loads(row["mesh"])] == [
        "pleural effusion", "pneumothorax", "pneumonia", "pleural effusion",
    ]  # fmt: skip
    dropped = extra_columns(text, triplets, ReportsConfig(uncertain="drop"))
    assert "Pneumonia" not in json.loads(dropped["verdicts"])
    assert "pneumonia" not in dropped["observations"]


def test_styles_read_no_other_columns_and_their_spans_lie_inside(row):
    for name, style in TEXT_STYLES.items():
        written = write(name, {column: row[column] for column in style.columns})
        for spans in (written.answers, written.guides, written.sentences):
            assert all(0 <= start < end <= len(written.text) for start, end in spans), name
            assert list(spans) == sorted(spans)
        assert written == write(name, row)


def test_the_report_has_its_mesh_words_and_its_sentences_of_more_than_three_words(row):
    written = write("report", row)
    assert written.text == text_of(FINDINGS, IMPRESSION)
    assert words(written, written.guides)[0] == "pleural effusion"
    assert words(written, written.sentences) == ["There is a small left pleural effusion."]


def test_mesh_words_are_whole_word_pieces(row, tmp_path):
    written = write("report", row)
    # "pleural" and "effusion" are no pieces of this vocabulary: they fall apart into letters.
    tokenizer = build_tokenizer(["there is a small left pneumothorax possible pneumonia no"], 200, tmp_path)
    pieces = encode(tokenizer, written, 400)
    guides = [piece for piece, is_guide in zip(pieces.ids, pieces.is_guide, strict=True) if is_guide]
    assert "".join(tokenizer.convert_ids_to_tokens(guides)).replace("##", "") == (
        "pleuraleffusionpneumothoraxpneumoniapleuraleffusion"
    )


def test_triplets(row):
    written = write("triplet", row)
    assert written.text.startswith("pleural effusion, left pleural space, present. pneumothorax, absent. pneumonia, un")
    assert words(written, written.answers)[:3] == ["present", "absent", "uncertain"]
    assert write("triplet", {"observations": "[]"}).text == "no finding stated."


def test_knowledge_follows_the_first_triplet_of_its_entity(row):
    known = DEFINITIONS["Pleural Effusion"].definition
    written = write("ke_triplet", row)
    assert written.text.startswith(f"pleural effusion, left pleural space, present. {known} pneumothorax, absent. ")
    assert written.text.count(known) == 1
    assert words(written, written.answers) == words(write("triplet", row), write("triplet", row).answers)
    assert estimate_pieces(write("ke_triplet", row, 60).text) <= 58


def test_structured_reports_and_their_ablations(row):
    whole = write("structured", row)
    assert words(whole, whole.answers) == words(write("manuscript", row), write("manuscript", row).answers)
    assert whole.text.endswith(row["manuscript"])
    assert DEFINITIONS["Pneumonia"].appearance in words(whole, whole.guides)
    assert "Definition:" not in write("structured_without_definition", row).text
    assert write("structured_without_appearance", row).guides == ()


def test_a_vocabulary_is_told_the_words_that_a_style_adds():
    assert style_words("report", DEFINITIONS) == style_words("sentences", DEFINITIONS) == []
    assert len(style_words("ke_triplet", DEFINITIONS)) == len(DEFINITIONS)
    assert len(style_words("structured", DEFINITIONS)) == 2 * len(DEFINITIONS)


def test_an_unknown_style_lists_the_others():
    with pytest.raises(InputError, match="no text style poem; there are: report, triplet"):
        style_of("poem")


def test_a_study_without_its_text_makes_no_pair():
    reports = pd.DataFrame({"findings": ["a", None], "impression": ["", " "], "manuscript": [None, "b"]})
    assert has_text(reports, "report").tolist() == [True, False]
    assert has_text(reports, "structured").tolist() == [False, True]
