import pytest

from maskray.errors import InputError
from maskray.reports.vocabulary import FINDINGS, ancestors, finding_of_label, finding_of_words, phrase, read_findings

CHEXPERT = (
    "No Finding", "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion", "Edema", "Consolidation",
    "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion", "Pleural Other", "Fracture", "Support Devices",
)  # fmt: skip
NIH = (
    "Atelectasis", "Cardiomegaly", "Effusion", "Infiltration", "Mass", "Nodule", "Pneumonia", "Pneumothorax",
    "Consolidation", "Edema", "Emphysema", "Fibrosis", "Pleural_Thickening", "Hernia",
)  # fmt: skip


@pytest.mark.parametrize(
    ("dataset", "labels"), [("chexpert", CHEXPERT), ("mimic", CHEXPERT), ("nih", (*NIH, "No Finding"))]
)
def test_the_data_sets_labels_are_all_there(dataset, labels):
    assert {f.labels[dataset] for f in FINDINGS.values() if dataset in f.labels} == set(labels)


# Those of PadChest's names that many films carry, of 174.
PADCHEST = (
    "normal", "COPD signs", "cardiomegaly", "aortic elongation", "scoliosis", "pleural effusion",
    "interstitial pattern",
    "infiltrates", "vertebral degenerative changes", "laminar atelectasis", "nodule", "pneumonia", "air trapping",
    "alveolar pattern", "costophrenic angle blunting", "apical pleural thickening", "hiatal hernia", "kyphosis",
    "vascular hilar enlargement", "pleural thickening", "volume loss", "bronchiectasis", "fibrotic band", "granuloma",
    "calcified granuloma", "hemidiaphragm elevation", "atelectasis", "consolidation", "pulmonary mass", "emphysema",
    "pulmonary fibrosis", "pulmonary edema", "heart insufficiency", "pneumothorax", "rib fracture", "cavitation",
    "tuberculosis", "tuberculosis sequelae", "mediastinal enlargement", "adenopathy", "subcutaneous emphysema",
    "pericardial effusion", "ground glass pattern", "reticular interstitial pattern", "aortic atheromatosis",
    "sternotomy",
    "pacemaker", "endotracheal tube", "NSG tube", "central venous catheter", "bullas", "goiter", "gynecomastia",
    "mastectomy", "nipple shadow", "azygos lobe", "osteopenia", "osteoporosis", "callus rib fracture", "tracheal shift",
    "hydropneumothorax", "loculated pleural effusion", "calcified pleural plaques", "hyperinflated lung", "COVID 19",
)  # fmt: skip


@pytest.mark.parametrize("label", [*CHEXPERT, *NIH, *PADCHEST, "COVID-19", "Lung Opacity", "Pneumothorax", "Normal"])
def test_every_label_has_a_finding(label):
    assert finding_of_label(label).name in FINDINGS


def test_size():
    assert len(FINDINGS) >= 45


def test_phrases():
    assert phrase("Pleural_Thickening") == "pleural thickening"
    assert phrase("Effusion") == phrase("Pleural Effusion") == "pleural effusion"
    assert phrase("COVID-19") == "covid-19 pneumonia"
    assert all(finding.phrase == finding.phrase.lower() for finding in FINDINGS.values())
    assert len({finding.phrase for finding in FINDINGS.values()}) == len(FINDINGS)


def test_unknown_label_lists_the_allowed_ones():
    with pytest.raises(InputError, match=r"Gout.*Cardiomegaly.*Pleural_Thickening"):
        phrase("Gout")


def test_labels_are_found_in_any_spelling():
    assert finding_of_label("pleural thickening") is finding_of_label("Pleural_Thickening")


def test_words_with_plural():
    for words in ("effusion", "Pleural Effusions", "pleural fluid"):
        assert finding_of_words(words).name == "Pleural Effusion"
    assert finding_of_words("lungs") is None


def test_ancestors():
    assert [f.name for f in ancestors(FINDINGS["COVID-19"])] == ["Pneumonia", "Lung Opacity"]


def test_damaged_tables_are_refused(tmp_path):
    table = tmp_path / "findings.yaml"
    table.write_text("- {name: A, phrase: a, parents: [B]}")
    with pytest.raises(InputError, match="unknown parent B"):
        read_findings(table)
    table.write_text("- {name: A, phrase: a, synonyms: [x]}\n- {name: B, phrase: b, synonyms: [x]}")
    with pytest.raises(InputError, match="'x' stands under A and B"):
        read_findings(table)
