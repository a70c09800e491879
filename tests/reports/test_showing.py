import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from maskray.config.preprocessing import ReportsConfig
from maskray.errors import InputError
from maskray.reports import showing
from maskray.reports.display import html_of, print_report
from maskray.reports.rules import RuleSource
from maskray.reports.sections import split_sections
from maskray.reports.showing import read_report, take_apart
from maskray.reports.triplets import Triplet, Unread

REPORT = """INDICATION: Cough <b>&"'

FINDINGS: Small left pleural effusion. No pneumothorax. There may be an
opacity at the right base. History of fracture.

IMPRESSION:
1. Effusion.
"""


@pytest.fixture(autouse=True, scope="module")
def one_source():
    """The rules, built once."""
    source = RuleSource()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(showing, "source_of", lambda config: source)
        yield source


def marked(report, layer):
    return [s.text for block in report.blocks for s in block.segments if layer in s.layers]


def test_every_layer_marks_its_words():
    report = take_apart(REPORT, "", ReportsConfig())
    assert [(block.name, block.is_read) for block in report.blocks] == [
        ("indication", False), ("findings", True), ("impression", True),
    ]  # fmt: skip
    assert marked(report, "present") == ["pleural effusion", "Effusion"]
    assert marked(report, "absent") == ["pneumothorax"]
    assert marked(report, "uncertain") == ["opacity"]
    assert marked(report, "negation") == ["No"]
    assert marked(report, "doubt") == ["may"]
    assert marked(report, "history") == ["History of"]
    assert "left" in marked(report, "anatomy")
    assert (
        "".join(marked(report, "entity")) == "Small left pleural effusionpneumothoraxopacityright basefractureEffusion"
    )
    assert marked(report, "mesh")
    assert not any(segment.layers for segment in report.blocks[0].segments)
    assert [each.words for each in report.triplets] == ["pleural effusion", "pneumothorax", "opacity", "Effusion"]
    assert [s.sign for block in report.blocks for s in block.segments if s.sign] == ["+", "−", "?", "+"]


def test_the_texts_that_are_asked_for_are_written():
    assert list(take_apart(REPORT, "", ReportsConfig()).texts) == ["manuscript", "structured"]
    (text,) = take_apart(REPORT, "", ReportsConfig(), ["triplet"]).texts.values()
    assert text.startswith("pleural effusion, left pleural space, present.")
    with pytest.raises(InputError, match="no text style poem; there are: report,"):
        take_apart(REPORT, "", ReportsConfig(), ["poem"])


def test_a_report_without_the_usual_sections_is_read_from_another(one_source):
    report = take_apart("COMPARISON: Effusion is smaller than before.", "", ReportsConfig())
    assert [(block.name, block.is_read) for block in report.blocks] == [("comparison", True)]
    nothing = take_apart("HISTORY: cough", "", ReportsConfig())
    assert (nothing.failure, nothing.texts) == ("no findings or impression in it", {})


def test_what_a_source_could_not_read_is_said(monkeypatch):
    class Silent:
        def extract(self, texts, studies=()):
            return [Unread("has no graph of this study")]

    monkeypatch.setattr(showing, "source_of", lambda config: Silent())
    report = take_apart(REPORT, "s1", ReportsConfig(triplets="graphs"))
    assert report.failure == "graphs has no graph of this study"
    assert report.failure in printed(report)
    assert report.failure in html_of(report)


def printed(report, **settings):
    console = Console(file=io.StringIO(), width=100, **settings)
    print_report(report, console)
    return console.file.getvalue()


def test_the_terminal_has_colours_or_signs(monkeypatch):
    report = take_apart(REPORT, "", ReportsConfig())
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in printed(report, force_terminal=True, color_system="standard")
    plain = printed(report)
    assert "\x1b" not in plain
    assert "Small left pleural effusion[+]. No pneumothorax[−]. There may be an opacity[?] at the right base." in plain
    assert re.search(r"^pneumothorax +absent +pneumothorax", plain, re.MULTILINE)
    assert "Is there pneumothorax? No." in plain
    monkeypatch.setenv("NO_COLOR", "1")
    coloured = re.findall(r"\x1b\[[\d;]*m", printed(report, force_terminal=True))
    # Bold and underline stay; 30 and above are colours.
    assert not [code for code in coloured if any(int(number or 0) >= 30 for number in code[2:-1].split(";"))]


def test_the_page_is_whole_and_escaped():
    page = html_of(take_apart(REPORT, "", ReportsConfig()))
    assert "Cough &lt;b&gt;&amp;&#34;&#39;" in page
    assert '<mark class="absent entity mesh">pneumothorax</mark><sup>−</sup>' in page
    assert "<script" not in page
    assert "http" not in page
    assert page == html_of(take_apart(REPORT, "", ReportsConfig()))


TRACED = """FINDINGS: Small left pleural
effusion. No pneumothorax. The heart is enlarged.
IMPRESSION: Effusion."""


def test_each_sentence_of_the_manuscript_is_traced_into_the_report():
    lines = take_apart(TRACED, "", ReportsConfig(), ["manuscript"]).lines
    assert [line.text for line in lines[:2]] == [
        "Is there pleural effusion in the left pleural space? Yes.", "Is there pneumothorax? No.",
    ]  # fmt: skip
    assert " ".join(line.text for line in lines) == take_apart(TRACED, "", ReportsConfig()).texts["manuscript"]
    found = [[(w.role, w.text, TRACED[w.start : w.end]) for q in line.quotes for w in q.words] for line in lines[:4]]
    assert found == [
        [("finding", "pleural effusion", "pleural\neffusion"), ("place", "left", "left")],
        [("finding", "pneumothorax", "pneumothorax"), ("answer", "No", "No")],
        [("finding", "heart", "heart"), ("finding", "enlarged", "enlarged")],
        [("finding", "Effusion", "Effusion")],
    ]
    assert (lines[-1].text, lines[-1].grounds) == ("Verdict: pleural effusion present.", (1, 4))


def test_the_trace_is_printed_and_on_the_page(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    report = take_apart(TRACED, "", ReportsConfig(), ["manuscript"])
    plain = printed(report)
    start, place, denial = (TRACED.index(word) for word in ("pneumothorax", "left", "No "))
    assert f'finding "pneumothorax" {start}–{start + 12}; answer "No" {denial}–{denial + 2}' in plain
    assert f'place "left" {place}–{place + 4}' in plain
    assert re.search(r"Verdict: pleural effusion present\.\s+by 1, 4", plain)
    coloured = printed(report, force_terminal=True, color_system="standard")
    # Underlined cyan, and bold magenta.
    assert "\x1b[4;36mleft\x1b[0m" in coloured
    assert "\x1b[1;35mNo\x1b[0m" in coloured
    page = html_of(report)
    assert '<span class="negation">No</span> <mark class="absent">pneumothorax</mark><sup>−</sup>' in page
    assert '<span class="place">left</span>' in page
    assert f"<q>No</q> {denial}–{denial + 2}" in page
    assert 'by <a href="#line-1">1</a>, <a href="#line-4">4</a>' in page


def test_a_source_that_names_no_words_of_denial_says_so(monkeypatch):
    class Terse:
        def extract(self, texts, studies=()):
            return [[Triplet("edema", "", "absent", 0, 3, 8)]]

    monkeypatch.setattr(showing, "source_of", lambda config: Terse())
    report = take_apart("No edema.", "", ReportsConfig(), ["manuscript"])
    assert 'finding "edema" 3–8; the source does not name the words that decide' in printed(report)
    assert "does not name the words that decide" in html_of(report)


PIECES = [
    "FINDINGS:",
    "IMPRESSION:",
    "\n",
    "\n\n",
    "1. ",
    "no ",
    "effusion",
    " left ",
    "may be ",
    ". ",
    "é",
    "İ",
    "\r\n",
]


@settings(max_examples=40)
@given(st.lists(st.sampled_from([*PIECES, "\x1b[31m", "<p>"]), max_size=25).map("".join))
def test_no_text_is_lost_and_no_control_character_shown(raw):
    report = take_apart(raw, "", ReportsConfig(), ["manuscript"])
    clean = raw.replace("\x1b", "\ufffd")
    assert {b.name: "".join(s.text for s in b.segments) for b in report.blocks} == split_sections(clean)
    assert "\x1b" not in printed(report)
    assert "\x1b" not in html_of(report)


def test_files_that_are_no_report(tmp_path):
    (tmp_path / "empty.txt").write_text(" \n")
    (tmp_path / "latin.txt").write_bytes("Größe".encode("latin-1"))
    (tmp_path / "long.txt").write_text("x" * 1_000_001)
    for name, message in (
        ("none.txt", "No such file"), ("empty.txt", "empty"), ("latin.txt", "byte 2 is not UTF-8"),
        ("long.txt", "not one report"), (".", "Is a directory"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=message):
            read_report(str(tmp_path / name))
    (tmp_path / "bom.txt").write_text("Clear.", encoding="utf-8-sig")
    assert read_report(str(tmp_path / "bom.txt")) == "Clear."
