from hypothesis import given
from hypothesis import strategies as st

from maskray.reports.alignment import align


def aligned(tokens, text):
    spans, share = align(tokens.split(), text)
    return [None if span is None else text[slice(*span)] for span in spans], share


def test_words_are_found_whatever_the_spaces_and_case():
    words, share = aligned("the HEART ( cardiac ) is 2 . 5 cm .", "The heart(cardiac)\nis  2.5cm.")
    assert words == ["The", "heart", "(", "cardiac", ")", "is", "2", ".", "5", "cm", "."]
    assert share == 1


def test_words_of_other_sections_belong_nowhere():
    words, share = aligned(
        "INDICATION : pneumonia ? FINDINGS : No pneumonia . IMPRESSION : Clear .", "No pneumonia.\n\nClear."
    )
    assert words == [None] * 6 + ["No", "pneumonia", "."] + [None] * 2 + ["Clear", "."]
    assert share == 1


def test_an_impression_that_stands_first_is_found():
    words, share = aligned(
        "IMPRESSION : No pneumonia seen . FINDINGS : Lungs are clear .", "Lungs are clear.\n\nNo pneumonia seen."
    )
    assert words == [None, None, "No", "pneumonia", "seen", ".", None, None, "Lungs", "are", "clear", "."]
    assert share == 1


def test_changed_words_stand_for_what_they_replaced():
    words, share = aligned("A `` mass '' in ___ F", 'A "mass" in ___F')
    assert words == ["A", '"', "mass", '"', "in", "___", "F"]
    assert share == 1


def test_another_text_shares_few_words():
    spans, share = align(["Heart", "is", "enlarged", "."], "No effusion or pneumothorax on either side.")
    assert share < 0.2
    assert align(["Heart"], "") == ([None], 1)
    assert align([], "Heart") == ([], 0)
    assert len(spans) == 4


@given(
    st.lists(st.text(alphabet="abÉß1_.-\"'", min_size=1, max_size=5), max_size=12),
    st.sampled_from([" ", "\n", " \n\n "]),
)
def test_a_copy_that_differs_in_spaces_alone_aligns_whole(tokens, space):
    text = space.join(tokens)
    spans, share = align(tokens, text)
    assert share == 1
    position = 0
    for token, span in zip(tokens, spans, strict=True):
        assert span is not None
        assert text[slice(*span)] == token
        assert span[0] >= position
        position = span[1]
