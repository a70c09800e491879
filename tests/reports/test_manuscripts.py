import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskray.config.preprocessing import ReportsConfig
from maskray.errors import InputError
from maskray.files import read_yaml
from maskray.reports.manuscripts import NOTHING_STATED, check_policy, write_manuscript
from maskray.reports.triplets import Triplet


def triplet(entity, exist, position=""):
    return Triplet(entity, position, exist, 0, 0, 1)


def written(triplets, uncertain="uncertain"):
    return write_manuscript(triplets, ReportsConfig(uncertain=uncertain))


def test_form():
    manuscript = written(
        [triplet("pleural effusion", "present", "left pleural space"), triplet("pneumothorax", "absent")]
    )
    assert manuscript.text == (
        "Is there pleural effusion in the left pleural space? Yes. Is there pneumothorax? No. "
        "Verdict: pneumothorax absent. Verdict: pleural effusion present."
    )
    words = [manuscript.text[start:end] for start, end in manuscript.answers]
    assert words == ["Yes", "No", "absent", "present"]


def test_present_wins_over_uncertain_wins_over_absent():
    same = [triplet("pneumothorax", exist) for exist in ("absent", "uncertain", "present")]
    for order in (same, same[::-1]):
        assert written(order).text == "Is there pneumothorax? Yes. Verdict: pneumothorax present."
    assert "Uncertain" in written(same[:2]).text


def test_verdict_joins_positions():
    manuscript = written([triplet("nodule", "absent", "left lung"), triplet("nodule", "present", "right lung")])
    assert "Is there nodule in the left lung? No." in manuscript.text
    assert "Verdict: nodule present." in manuscript.text
    assert "nodule absent" not in manuscript.text


def test_parents_follow_what_is_present_or_uncertain_only():
    assert "Verdict: lung opacity uncertain." in written([triplet("consolidation", "uncertain")]).text
    assert "lung opacity" not in written([triplet("consolidation", "absent")]).text


def test_no_finding():
    normal = [triplet("pneumothorax", "absent"), triplet("support device", "present")]
    assert "Verdict: no finding present." in written(normal).text
    assert "no finding" not in written([*normal, triplet("mass", "uncertain")]).text
    assert "no finding" not in written([*normal, triplet("strange shadow", "present")]).text


def test_uncertain_policies():
    one = [triplet("pneumonia", "uncertain")]
    assert written(one).text.startswith("Is there pneumonia? Uncertain. ")
    assert written(one, "positive").text.startswith("Is there pneumonia? Yes. ")
    assert "Verdict: pneumonia present." in written(one, "positive").text
    assert written(one, "drop").text == NOTHING_STATED


def test_probable_policy_takes_what_is_more_likely_than_not():
    doubts = [triplet("pneumonia", "uncertain")._replace(doubt=doubt) for doubt in ("probable", "possible", None)]
    texts = [written([one], "probable").text for one in doubts]
    assert texts[0].startswith("Is there pneumonia? Yes. ")
    assert texts[1:] == [NOTHING_STATED] * 2


def test_policy_of_one_finding():
    config = ReportsConfig(uncertain="drop", uncertain_by_finding={"Pneumonia": "positive", "Mass": "uncertain"})
    triplets = [triplet(entity, "uncertain") for entity in ("pneumonia", "mass", "nodule", "strange shadow")]
    text = write_manuscript(triplets, config).text
    assert text.startswith("Is there pneumonia? Yes. Is there mass? Uncertain. Verdict: ")
    with pytest.raises(InputError, match=r"unknown finding 'Gout'; allowed: No Finding, .*Mass"):
        check_policy(ReportsConfig(uncertain_by_finding={"Gout": "drop"}))


def test_evidence_and_grounds():
    triplets = [
        Triplet("pneumonia", "left lung", "uncertain", 0, 3, 12),
        Triplet("nodule", "", "absent", 1, 20, 26),
        Triplet("pneumonia", "left lung", "present", 2, 40, 49),
        Triplet("pneumonia", "left lung", "present", 3, 60, 69),
        Triplet("consolidation", "", "present", 3, 80, 93),
    ]
    manuscript = written(triplets)
    # What is outweighed is no evidence.
    assert [[each.finding for each in statements] for statements in manuscript.evidence] == [
        [((40, 49),), ((60, 69),)], [((20, 26),)], [((80, 93),)],
    ]  # fmt: skip
    words = re.findall(r"Verdict: ([a-z -]+) (present|absent)", manuscript.text)
    assert dict(zip(words, manuscript.grounds, strict=True)) == {
        ("lung opacity", "present"): (0, 2),
        ("consolidation", "present"): (2,),
        ("pneumonia", "present"): (0,),
        ("nodule", "absent"): (1,),
    }


def test_no_finding_stands_on_what_is_denied():
    manuscript = written([triplet("support device", "present"), triplet("nodule", "absent"), triplet("mass", "absent")])
    assert manuscript.text.count("Verdict: no finding present.") == 1
    assert (1, 2) in manuscript.grounds


def test_nothing_stated_is_never_empty():
    manuscript = written([])
    assert manuscript.text == NOTHING_STATED
    assert manuscript.answers == ()


def test_words_outside_the_vocabulary_have_no_verdict():
    assert written([triplet("Strange Shadow", "present")]).text == "Is there strange shadow? Yes."


def test_the_prompts_of_mnm_are_sentences_of_manuscripts(repository):
    zeroshot = read_yaml(repository / "config/papers/mnm.yaml")["zeroshot"]
    for exist, words in (("present", zeroshot["positive"]), ("absent", zeroshot["negative"])):
        question, verdict = words.replace("{x}", "cardiomegaly").split(" Verdict: ")
        text = written([triplet("cardiomegaly", exist)]).text
        assert text.startswith(question + " ")
        assert f"Verdict: {verdict}" in text


@given(
    st.lists(
        st.builds(
            triplet,
            st.sampled_from(["nodule", "mass", "edema", "foo"]),
            st.sampled_from(["present", "absent", "uncertain"]),
            st.sampled_from(["", "left lung"]),
        ),
        max_size=8,
    ),
    st.sampled_from(["uncertain", "drop", "positive", "probable"]),
)
def test_answers_are_exactly_the_answer_words(triplets, policy):
    manuscript = written(triplets, policy)
    assert manuscript == written(triplets, policy)
    allowed = {"Yes", "No", "Uncertain", "present", "absent", "uncertain"}
    for start, end in manuscript.answers:
        assert manuscript.text[start:end] in allowed
        assert manuscript.text[end] == "."
    assert len(manuscript.answers) == len(manuscript.evidence) + len(manuscript.grounds)
    assert all(0 <= i < len(manuscript.evidence) for grounds in manuscript.grounds for i in grounds)
    if manuscript.text != NOTHING_STATED:
        assert len(manuscript.answers) == manuscript.text.count("Is there") + manuscript.text.count("Verdict:")


@pytest.mark.parametrize("seed", range(3))
def test_order_of_statements_decides_only_the_order(seed):
    triplets = [triplet(e, x) for e in ("nodule", "mass") for x in ("present", "absent", "uncertain")]
    shuffled = random.Random(seed).sample(triplets, len(triplets))
    # Everything was said as present, so only the order of the questions can differ.
    parts, shuffled_parts = (re.findall(r"[^.?]+[.?]", written(each).text) for each in (triplets, shuffled))
    assert sorted(part.strip() for part in parts) == sorted(part.strip() for part in shuffled_parts)
