import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskray.config.preprocessing import ReportsConfig
from maskray.reports.budget import Cutter, shares
from maskray.reports.definitions import read_definitions
from maskray.reports.manuscripts import NOTHING_STATED, merged, verdicts, write_manuscript
from maskray.reports.marks import MarkedText
from maskray.reports.pieces import estimate_pieces, piece_counter
from maskray.reports.structured import StructuredWriter
from maskray.reports.tokens import build_tokenizer
from maskray.reports.triplets import Triplet
from maskray.reports.vocabulary import FINDINGS

DEFINITIONS = read_definitions()
EFFUSION = Triplet("pleural effusion", "left pleural space", "present", 0, 0, 1)
NO_PNEUMOTHORAX = Triplet("pneumothorax", "", "absent", 0, 0, 1)
MAYBE_PNEUMONIA = Triplet("pneumonia", "", "uncertain", 0, 0, 1)


def of_triplets(*triplets, policy="uncertain"):
    config = ReportsConfig(uncertain=policy)
    manuscript = write_manuscript(triplets, config)
    return MarkedText(manuscript.text, manuscript.answers), verdicts(merged(triplets, config))


def written(*triplets, max_pieces=10_000, **settings):
    return StructuredWriter(DEFINITIONS, max_pieces, estimate_pieces, **settings).write(*of_triplets(*triplets))


def words(text, spans):
    return [text[start:end] for start, end in spans]


def test_definition_and_appearance_stand_before_the_manuscript_whole_where_there_is_room():
    report = written(EFFUSION, NO_PNEUMOTHORAX)
    manuscript, _ = of_triplets(EFFUSION, NO_PNEUMOTHORAX)
    known = DEFINITIONS["Pleural Effusion"]
    assert report.text == (
        f"Definition: {known.definition} Radiographic characteristics: {known.appearance} {manuscript.text}"
    )
    assert words(report.text, report.guides) == [known.appearance]
    assert words(report.text, report.answers) == words(manuscript.text, manuscript.answers)


def test_positive_and_uncertain_verdicts_get_sections_in_the_order_of_the_vocabulary():
    report = written(MAYBE_PNEUMONIA, EFFUSION, NO_PNEUMOTHORAX)
    expected = ["Lung Opacity", "Pneumonia", "Pleural Effusion"]
    assert words(report.text, report.guides) == [DEFINITIONS[name].appearance for name in expected]


@pytest.mark.parametrize("triplets", [(NO_PNEUMOTHORAX,), ()])
def test_a_report_without_a_finding_tells_of_no_finding(triplets):
    report = written(*triplets)
    assert words(report.text, report.guides) == [DEFINITIONS["No Finding"].appearance]
    assert report.text.endswith("Verdict: pneumothorax absent." if triplets else NOTHING_STATED)


def test_ablations_leave_one_section_out():
    without = {kind: written(EFFUSION, kinds=(kind,)) for kind in ("definition", "appearance")}
    assert "Radiographic characteristics:" not in without["definition"].text
    assert without["definition"].guides == ()
    assert "Definition:" not in without["appearance"].text
    assert len(without["appearance"].guides) == 1


@pytest.mark.parametrize("num_findings", [1, 2, 3, 6])
@pytest.mark.parametrize("max_pieces", [80, 128, 256])
def test_the_budget_holds_and_no_verdict_is_lost(num_findings, max_pieces):
    names = ["pleural effusion", "pneumothorax", "fracture", "hernia", "granuloma", "tuberculosis"][:num_findings]
    triplets = [Triplet(name, "left lower lobe", "present", 0, 0, 1) for name in names]
    report = written(*triplets, max_pieces=max_pieces)
    assert estimate_pieces(report.text) <= max_pieces - 2
    assert report.text.count("Verdict:") == num_findings
    assert {"present"} <= set(words(report.text, report.answers)) <= {"Yes", "present"}


def test_equal_shares_go_to_two_findings_at_256_pieces():
    report = written(EFFUSION, Triplet("hernia", "", "present", 0, 0, 1), max_pieces=256)
    told = words(report.text, report.guides)
    assert len(told) == 2
    for text, name in zip(told, ("Pleural Effusion", "Hernia"), strict=True):
        # Cut at the end of a sentence.
        assert DEFINITIONS[name].appearance.startswith(text)
    sizes = [estimate_pieces(text) for text in told]
    assert max(sizes) < 2 * min(sizes)


def test_what_is_implied_by_another_finding_is_left_out_first():
    covid = Triplet("covid-19 pneumonia", "", "present", 0, 0, 1)
    report = written(covid, max_pieces=110)
    assert DEFINITIONS["COVID-19"].appearance.split(",")[0] in report.text
    assert "Radiographic characteristics: An area of lung" not in report.text


def test_every_report_fits_its_tokenizer(tmp_path):
    texts = [text for each in DEFINITIONS.values() for text in (each.definition, each.appearance)]
    tokenizer = build_tokenizer(texts[: len(texts) // 2], 600, tmp_path)
    writer = StructuredWriter(DEFINITIONS, 200, piece_counter(tokenizer))
    for name, finding in FINDINGS.items():
        if not finding.is_vague and name != "No Finding":
            report = writer.write(*of_triplets(Triplet(finding.phrase, "", "present", 0, 0, 1)))
            assert len(tokenizer(report.text)["input_ids"]) <= 200


@given(st.lists(st.integers(0, 200), max_size=8), st.integers(-5, 400))
def test_shares_are_equal_where_none_is_satisfied(sizes, budget):
    granted = shares(sizes, budget)
    assert sum(granted) <= max(budget, 0)
    assert all(0 <= share <= size for share, size in zip(granted, sizes, strict=True))
    hungry = [share for share, size in zip(granted, sizes, strict=True) if share < size]
    assert not hungry or max(hungry) - min(hungry) <= 1
    assert hungry or granted == sizes
    # Nothing that could be used is kept back.
    assert not hungry or sum(granted) == max(budget, 0)


def test_texts_are_cut_at_sentences_then_commas_then_words():
    cut = Cutter(lambda text: len(text.split())).cut
    text = "One two three four, five six seven. Eight nine ten."
    assert [cut(text, budget) for budget in (10, 9, 7, 6, 3)] == [
        text, "One two three four, five six seven.", "One two three four, five six seven.", "One two three four.", "",
    ]  # fmt: skip
    assert cut("One two three four five six.", 5) == "One two three four five."


def test_the_estimate_counts_words_and_marks():
    assert estimate_pieces("no pleural effusion.") == 1 + 3 + 3 + 1
    assert estimate_pieces("covid-19") == 3
