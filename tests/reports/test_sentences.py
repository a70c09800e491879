import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskray.reports.sentences import sentence_spans, split_sentences

CASES = [
    ("Clear lungs. No effusion.", ["Clear lungs.", "No effusion."]),
    ("1. No effusion. 2. Normal heart.", ["No effusion.", "Normal heart."]),
    ("1) No effusion\n2) Normal heart", ["No effusion", "Normal heart"]),
    ("- No effusion\n- Normal heart", ["No effusion", "Normal heart"]),
    ("Seen by Dr. Smith. Stable.", ["Seen by Dr. Smith.", "Stable."]),
    ("Discussed with Dr. ___ at 5 p.m. on ___.", ["Discussed with Dr. ___ at 5 p.m. on ___."]),
    ("Called at 5 p.m. The lungs are clear.", ["Called at 5 p.m.", "The lungs are clear."]),
    ("A 2.5 cm nodule. Stable.", ["A 2.5 cm nodule.", "Stable."]),
    ("Size is 5. No edema.", ["Size is 5.", "No edema."]),
    ("Atelectasis vs. pneumonia.", ["Atelectasis vs. pneumonia."]),
    ("XXXX opacity. XXXX unchanged.", ["XXXX opacity.", "XXXX unchanged."]),
    ("Compared to ___. ___ is new.", ["Compared to ___.", "___ is new."]),
    ("Line one\nwraps here. Next.", ["Line one wraps here.", "Next."]),
    ("First paragraph\n\nSecond paragraph", ["First paragraph", "Second paragraph"]),
    ("No abnormality.. .", ["No abnormality.."]),
    ("Pneumonia? No!", ["Pneumonia?", "No!"]),
    ("no capital. here either.", ["no capital.", "here either."]),
    ("? effusion. ?pneumonia", ["? effusion.", "?pneumonia"]),
    ("Lungs: clear\nHeart: normal in\n size", ["Lungs: clear", "Heart: normal in size"]),
    ("1. Nodule, 4 mm.  2) Effusion\n(3) Stable", ["Nodule, 4 mm.", "Effusion", "Stable"]),
    ("* Effusion\n• Nodule", ["Effusion", "Nodule"]),
    ("", []),
    (" . 12. ___ ", []),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_split(text, expected):
    assert split_sentences(text) == expected


@given(st.text(alphabet="aB .!?\n1,_-", max_size=60))
def test_spans_are_ordered_disjoint_and_lose_no_letter(text):
    spans = sentence_spans(text)
    ends = [0] + [end for _, end in spans]
    assert all(before <= start < end for before, (start, end) in zip(ends, spans, strict=False))
    inside = "".join(text[start:end] for start, end in spans)
    assert sum(map(str.isalpha, inside)) == sum(map(str.isalpha, text))
