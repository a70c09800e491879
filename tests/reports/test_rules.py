"""What the rules read out of sentences, each construction named."""

import pytest

from maskray.reports.rules import RuleSource

PRESENT, ABSENT, UNCERTAIN = "present", "absent", "uncertain"

CASES = [
    # construction, sentence, {entity: exist}; an entity that is not listed must not appear
    ("plain mention", "There is a small pleural effusion.", {"pleural effusion": PRESENT}),
    ("abbreviated name", "CHF is noted.", {"pulmonary edema": PRESENT}),
    ("plural", "Bilateral effusions are seen.", {"pleural effusion": PRESENT}),
    ("irregular plural", "Small pneumothoraces.", {"pneumothorax": PRESENT}),
    ("capitals", "LARGE PNEUMOTHORAX", {"pneumothorax": PRESENT}),
    ("hyphen", "Air-space disease in the left base.", {"lung opacity": PRESENT}),
    ("specific over general", "Subcutaneous emphysema is present.", {"subcutaneous emphysema": PRESENT}),
    ("other organ's effusion", "Pericardial effusion.", {"pericardial effusion": PRESENT}),
    ("disease with a finding's name", "Findings of cystic fibrosis.", {"cystic fibrosis": PRESENT}),
    ("no", "No pneumothorax.", {"pneumothorax": ABSENT}),
    ("no ... or", "No pleural effusion or pneumothorax.", {"pleural effusion": ABSENT, "pneumothorax": ABSENT}),
    ("no, list with or", "No focal consolidation, pleural effusion, or pneumothorax.",
     {"consolidation": ABSENT, "pleural effusion": ABSENT, "pneumothorax": ABSENT}),
    ("no, list with size and or", "No pneumothorax, large effusion or consolidation.",
     {"pneumothorax": ABSENT, "pleural effusion": ABSENT, "consolidation": ABSENT}),
    ("no evidence of", "No evidence of pneumonia.", {"pneumonia": ABSENT}),
    ("without", "Clear lungs without edema.", {"lung opacity": ABSENT, "pulmonary edema": ABSENT}),
    ("negative for", "Negative for pneumothorax.", {"pneumothorax": ABSENT}),
    ("free of", "The lungs are free of consolidation.", {"consolidation": ABSENT}),
    ("clear of", "The lungs are clear of focal infiltrate.", {"lung opacity": ABSENT, "infiltration": ABSENT}),
    ("is not seen", "Pneumothorax is not seen.", {"pneumothorax": ABSENT}),
    ("not identified", "Pleural effusion not identified.", {"pleural effusion": ABSENT}),
    ("neither nor", "Neither effusion nor pneumothorax is seen.", {"pleural effusion": ABSENT, "pneumothorax": ABSENT}),
    ("has resolved", "The left effusion has resolved.", {"pleural effusion": ABSENT}),
    ("resolution of", "Interval resolution of left effusion.", {"pleural effusion": ABSENT}),
    ("no longer", "The pneumothorax is no longer visualized.", {"pneumothorax": ABSENT}),
    ("removed", "Interval removal of right chest tube.", {"support device": ABSENT}),
    ("absent", "Pulmonary edema is absent.", {"pulmonary edema": ABSENT}),
    ("no definite", "No definite pleural effusion seen.", {"pleural effusion": ABSENT}),
    ("nothing suggesting", "No findings to suggest edema.", {"pulmonary edema": ABSENT}),
    ("unlikely", "Pneumonia is unlikely.", {"pneumonia": ABSENT}),
    ("rather than", "This is scarring rather than pneumonia.", {"scarring": PRESENT, "pneumonia": ABSENT}),
    ("denied, then but", "No effusion but mild edema is present.",
     {"pleural effusion": ABSENT, "pulmonary edema": PRESENT}),
    ("denied, then new statement", "There is no effusion and there is mild cardiomegaly.",
     {"pleural effusion": ABSENT, "cardiomegaly": PRESENT}),
    ("two statements joined by and", "There is no pneumothorax, and a small effusion is unchanged.",
     {"pneumothorax": ABSENT, "pleural effusion": PRESENT}),
    ("denied, then comma and size", "No consolidation, small left pleural effusion.",
     {"consolidation": ABSENT, "pleural effusion": PRESENT}),
    ("denied with", "No cardiomegaly with bilateral small pleural effusions.",
     {"cardiomegaly": ABSENT, "pleural effusion": PRESENT}),
    ("present, then without", "Cardiomegaly without edema.", {"cardiomegaly": PRESENT, "pulmonary edema": ABSENT}),
    ("semicolon", "No pneumothorax; mild atelectasis.", {"pneumothorax": ABSENT, "atelectasis": PRESENT}),
    ("which", "No pneumothorax, which excludes nothing about the effusion.",
     {"pneumothorax": ABSENT, "pleural effusion": ABSENT}),
    ("unchanged", "Unchanged cardiomegaly.", {"cardiomegaly": PRESENT}),
    ("no change in", "No significant change in left pleural effusion.", {"pleural effusion": PRESENT}),
    ("no change in two", "No change in pneumothorax or effusion.",
     {"pneumothorax": PRESENT, "pleural effusion": PRESENT}),
    ("not changed", "The effusion is not significantly changed.", {"pleural effusion": PRESENT}),
    ("improved", "Improved pulmonary edema.", {"pulmonary edema": PRESENT}),
    ("possible", "Possible left lower lobe pneumonia.", {"pneumonia": UNCERTAIN}),
    ("may represent", "Opacity may represent atelectasis.", {"lung opacity": PRESENT, "atelectasis": UNCERTAIN}),
    ("which may represent", "Left basilar opacity, which may represent pneumonia.",
     {"lung opacity": PRESENT, "pneumonia": UNCERTAIN}),
    ("could be", "This could be consolidation.", {"consolidation": UNCERTAIN}),
    ("likely", "Opacity likely atelectasis.", {"lung opacity": PRESENT, "atelectasis": UNCERTAIN}),
    ("probable", "Probable small pleural effusion.", {"pleural effusion": UNCERTAIN}),
    ("suggestive of", "Findings suggestive of emphysema.", {"emphysema": UNCERTAIN}),
    ("concerning for", "Opacity concerning for pneumonia.", {"lung opacity": PRESENT, "pneumonia": UNCERTAIN}),
    ("suspicious for", "Nodule suspicious for malignancy.", {"nodule": PRESENT, "lung lesion": UNCERTAIN}),
    ("questionable", "Questionable nodule in the right apex.", {"nodule": UNCERTAIN}),
    ("cannot exclude", "Cannot exclude small pleural effusion.", {"pleural effusion": UNCERTAIN}),
    ("cannot be excluded", "Pneumonia cannot be excluded.", {"pneumonia": UNCERTAIN}),
    ("not excluded", "A small pneumothorax is not excluded.", {"pneumothorax": UNCERTAIN}),
    ("cannot rule out", "Cannot rule out pneumonia.", {"pneumonia": UNCERTAIN}),
    ("difficult to exclude", "Underlying infection difficult to exclude.", {"pneumonia": UNCERTAIN}),
    ("difficult to entirely exclude", "Mild edema difficult to entirely exclude.", {"pulmonary edema": UNCERTAIN}),
    ("excluded after a denial", "No effusion, but pneumothorax cannot be excluded.",
     {"pleural effusion": ABSENT, "pneumothorax": UNCERTAIN}),
    ("is possible", "Superimposed pneumonia is possible.", {"pneumonia": UNCERTAIN}),
    ("suspected", "Small pleural effusions suspected.", {"pleural effusion": UNCERTAIN}),
    ("in the differential", "Pneumonia is in the differential.", {"pneumonia": UNCERTAIN}),
    ("should be considered", "Infection should be considered.", {"pneumonia": UNCERTAIN}),
    ("versus", "Atelectasis versus pneumonia.", {"atelectasis": UNCERTAIN, "pneumonia": UNCERTAIN}),
    ("or, not denied", "Bibasilar atelectasis or scarring.", {"atelectasis": UNCERTAIN, "scarring": UNCERTAIN}),
    ("slash", "Left base atelectasis/infiltrate.", {"atelectasis": UNCERTAIN, "infiltration": UNCERTAIN}),
    ("uncertain, then denied", "Possible effusion, no pneumothorax.",
     {"pleural effusion": UNCERTAIN, "pneumothorax": ABSENT}),
    ("differential includes", "Differential diagnosis includes pneumonia.", {"pneumonia": UNCERTAIN}),
    ("normal structure", "Heart size is normal.", {"cardiomegaly": ABSENT}),
    ("normal before the structure", "Normal heart size.", {"cardiomegaly": ABSENT}),
    ("two normal structures", "The heart and mediastinum are within normal limits.",
     {"cardiomegaly": ABSENT, "enlarged cardiomediastinum": ABSENT}),
    ("upper limits", "Heart size is upper limits of normal.", {"cardiomegaly": ABSENT}),
    ("clear lungs", "The lungs are clear.", {"lung opacity": ABSENT}),
    ("enlarged structure", "The cardiac silhouette is mildly enlarged.", {"cardiomegaly": PRESENT}),
    ("enlargement of a structure", "Stable enlargement of the cardiac silhouette.", {"cardiomegaly": PRESENT}),
    ("not enlarged", "The heart is not enlarged.", {"cardiomegaly": ABSENT}),
    ("state after but", "The lungs are hyperexpanded but clear.", {"hyperinflation": PRESENT, "lung opacity": ABSENT}),
    ("not normal", "The heart size is not normal.", {}),
    ("pleural spaces", "Pleural spaces are clear.", {"pleural effusion": ABSENT}),
    ("no abnormality", "No acute cardiopulmonary abnormality.", {"acute cardiopulmonary abnormality": ABSENT}),
    ("vague abnormality", "Abnormality in the chest.", {}),
    ("history", "History of pneumonia.", {}),
    ("indication", "Indication: rule out pneumothorax and effusion.", {}),
    ("evaluate for", "Evaluate for pneumonia.", {}),
    ("recommendation", "Recommend CT to exclude mass.", {}),
    ("could obscure", "Bony overlap could obscure a small nodule.", {}),
    ("nothing medical", "PA and lateral views were obtained.", {}),
]  # fmt: skip

POSITIONS = [
    ("Right lower lobe consolidation.", ["right lower lobe"]),
    ("Opacity in the left upper lobe.", ["left upper lobe"]),
    ("Bibasilar atelectasis.", ["bilateral lung bases"]),
    ("Atelectasis at the left base.", ["left lung base"]),
    ("Small left pleural effusion.", ["left pleural space"]),
    ("Left-sided pneumothorax.", ["left pleural space"]),
    ("Bilateral pleural effusions.", ["bilateral pleural spaces"]),
    ("Left apical pneumothorax.", ["left lung apex"]),
    ("Opacities in both lungs.", ["bilateral lungs"]),
    ("Opacity in the right upper lobe and left base.", ["right upper lobe", "left lung base"]),
    ("Right and left lower lobe opacities.", ["right lower lobe", "left lower lobe"]),
    ("Retrocardiac opacity.", ["retrocardiac region"]),
    ("Effusion at the right costophrenic angle.", ["right costophrenic angle"]),
    ("Old fracture of the left lateral 6th rib.", ["left rib"]),
    ("RLL pneumonia.", ["right lower lobe"]),
    ("Hazy bilateral lung opacities.", ["bilateral lungs"]),
    ("Lung opacities.", [""]),
    ("Left base atelectasis and scarring.", ["left lung base", "left lung base"]),
    (
        "Nodule in the right upper lobe and opacities in both lower lobes.",
        ["right upper lobe", "bilateral lower lobes"],
    ),
    ("There is a pneumothorax.", [""]),
    ("No effusion. Right lower lobe pneumonia.", ["", "right lower lobe"]),
    ("Cardiomegaly in the right lung.", [""]),
]


@pytest.fixture(scope="module")
def source():
    return RuleSource()


@pytest.mark.parametrize(("construction", "sentence", "expected"), CASES, ids=[case[0] for case in CASES])
def test_sentence(source, construction, sentence, expected):
    triplets = source.extract([sentence])[0]
    assert {triplet.entity: triplet.exist for triplet in triplets} == expected


def test_there_are_enough_sentences():
    assert len(CASES) >= 60
    assert len({case[0] for case in CASES}) == len(CASES)


@pytest.mark.parametrize(("sentence", "expected"), POSITIONS)
def test_position(source, sentence, expected):
    assert [triplet.position for triplet in source.extract([sentence])[0]] == expected


def test_spans_and_sentences_point_into_the_text(source):
    text = "1. Heart size is normal.\n2. Small  left\n pleural   effusion is seen by Dr. ___. No pneumothorax."
    triplets = source.extract([text])[0]
    named = [(t.entity, t.sentence, " ".join(text[t.start : t.end].split())) for t in triplets]
    assert named == [
        ("cardiomegaly", 0, "normal"),
        ("pleural effusion", 1, "pleural effusion"),
        ("pneumothorax", 2, "pneumothorax"),
    ]


def test_the_same_text_gives_the_same_triplets_from_the_cache_and_afresh(source):
    text = "Left base atelectasis. Left base atelectasis. No effusion."
    first, second = source.extract([text, text])
    assert first == second == RuleSource().extract([text])[0]
    assert [t.start for t in first[:2]] == [10, 33]


@pytest.mark.parametrize(
    "text", ["", "   ", "...", "___ XXXX ?", "12345", "no", "no no or or and", ", and", "\n\n\n", "normal"]
)
def test_odd_texts_do_no_harm(source, text):
    assert source.extract([text]) == [[]]
