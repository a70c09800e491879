"""The words of made reports: what each finding is called, how it is affirmed, doubted and denied.

In the phrases, {pos} is a place such as "right lower lobe", {side} right, left or bilateral, {size} a word for the
extent, {mm} and {cm} sizes. A phrase that begins with "a " loses the article where a sentence has no room for it.
"""

from __future__ import annotations

POSITIONS = {
    ("right", "upper"): ("right upper lobe", "right upper lung zone", "right upper lung"),
    ("right", "mid"): ("right middle lobe", "right mid lung zone", "right mid lung"),
    ("right", "lower"): ("right lower lobe", "right lung base", "right lower lung"),
    ("left", "upper"): ("left upper lobe", "left upper lung zone", "left upper lung"),
    ("left", "mid"): ("left mid lung zone", "left mid lung"),
    ("left", "lower"): ("left lower lobe", "left lung base", "left lower lung"),
    ("bilateral", "upper"): ("both upper lobes", "bilateral upper lungs"),
    ("bilateral", "mid"): ("both mid lungs", "bilateral mid lungs"),
    ("bilateral", "lower"): ("both lung bases", "bilateral lower lobes"),
}

SIZES = ("small", "moderate", "large")
DEGREES = ("mild", "moderate", "severe")

PHRASES: dict[str, tuple[str, ...]] = {
    "Atelectasis": (
        "{side} basilar atelectasis",
        "{degree} atelectasis in the {pos}",
        "linear atelectasis at the {side} lung base",
        "atelectasis of the {pos} with volume loss",
    ),
    "Cardiomegaly": ("{degree} cardiomegaly", "cardiomegaly", "a {degree}ly enlarged heart"),
    "Effusion": (
        "a {size} {side} pleural effusion",
        "a {side} pleural effusion",
        "a {size} pleural effusion blunting the {side} costophrenic angle",
    ),
    "Infiltration": (
        "patchy infiltration in the {pos}",
        "an infiltrate in the {pos}",
        "a {degree} patchy infiltrate in the {pos}",
    ),
    "Mass": ("a {cm} cm mass in the {pos}", "a {pos} mass", "a large mass in the {pos}"),
    "Nodule": (
        "a {mm} mm nodule in the {pos}",
        "a {pos} pulmonary nodule",
        "a small nodule in the {pos}",
    ),
    "Pneumonia": ("{pos} pneumonia", "pneumonia in the {pos}", "an opacity in the {pos} due to pneumonia"),
    "Pneumothorax": (
        "a {size} {side} pneumothorax",
        "a {side} pneumothorax",
        "a {size} {side} apical pneumothorax",
    ),
    "Consolidation": (
        "consolidation in the {pos}",
        "{pos} consolidation",
        "dense consolidation of the {pos} with air bronchograms",
    ),
    "Edema": ("{degree} pulmonary edema", "{degree} bilateral pulmonary edema", "{degree} perihilar edema"),
    "Emphysema": (
        "{degree} emphysema",
        "emphysema with hyperinflated lungs and flattened diaphragms",
        "bullous emphysema in both lungs",
    ),
    "Fibrosis": (
        "{degree} pulmonary fibrosis",
        "basilar fibrosis in both lungs",
        "bilateral reticular markings due to fibrosis",
    ),
    "Pleural_Thickening": ("{side} pleural thickening", "{side} {region} pleural thickening"),
    "Hernia": (
        "a hiatal hernia",
        "a {size} hiatal hernia",
        "a {size} retrocardiac hiatal hernia with an air-fluid level",
    ),
    "Fracture": ("a displaced {side} rib fracture", "fracture of two {side} lateral ribs"),
    "Enlarged Cardiomediastinum": (
        "widening of the mediastinum",
        "an enlarged cardiomediastinal silhouette",
    ),
    "Support Devices": ("a {kind}", "a {kind} in standard position"),
}

PLURALS = {
    "Effusion": ("{size} bilateral pleural effusions", "bilateral pleural effusions"),
    "Nodule": ("{number} nodules in the {pos}", "multiple {pos} pulmonary nodules"),
    "Infiltration": ("patchy infiltrates in {pos}", "infiltrates in {pos}"),
}
"""Phrases that take "are", for findings on both sides or several at once."""

AFFIRMED = (
    "There {is} {np}.",
    "{Np} {is} present.",
    "{Np} {is} seen.",
    "{Np} {is} noted.",
    "{Np} {is} identified.",
    "The film shows {np}.",
)
AFFIRMED_AGAIN = ("Again seen {is} {np}.", "{Np} {is} again noted.", "{Np} {is} unchanged.")
AFFIRMED_BRIEFLY = ("{Bare}.",)
DOUBTED = (
    "Possible {bare}.",
    "{Np} cannot be excluded.",
    "There may be {np}.",
    "Questionable {bare}.",
    "{Np} {is} possible.",
    "Findings may represent {np}.",
    "Appearance is suspicious for {np}.",
)
DENIED_ONE = (
    "No {a}.",
    "There is no {a}.",
    "No evidence of {a}.",
    "There is no evidence of {a}.",
    "{A} is not seen.",
    "Negative for {a}.",
    "No {a} is seen.",
    "No {a} is identified.",
)
DENIED_TWO = ("No {a} or {b}.", "There is no {a} or {b}.", "No evidence of {a} or {b}.", "Negative for {a} or {b}.")
DENIED_THREE = (
    "No {a}, {b}, or {c}.",
    "There is no {a}, {b}, or {c}.",
    "The lungs are without {a}, {b} or {c}.",
    "There is no evidence of {a}, {b} or {c}.",
)

DENIABLE = {
    "Atelectasis": ("atelectasis",),
    "Cardiomegaly": ("cardiomegaly", "cardiac enlargement"),
    "Effusion": ("pleural effusion", "effusion"),
    "Infiltration": ("infiltrate", "focal infiltrate", "infiltration"),
    "Mass": ("mass", "lung mass"),
    "Nodule": ("nodule", "pulmonary nodule"),
    "Pneumonia": ("pneumonia",),
    "Pneumothorax": ("pneumothorax",),
    "Consolidation": ("focal consolidation", "consolidation"),
    "Edema": ("pulmonary edema", "edema"),
    "Emphysema": ("emphysema",),
    "Fibrosis": ("fibrosis", "pulmonary fibrosis"),
    "Pleural_Thickening": ("pleural thickening",),
    "Hernia": ("hiatal hernia",),
    "Fracture": ("rib fracture", "acute fracture"),
}

DENIAL_WEIGHTS = {"Pneumothorax": 3.0, "Effusion": 3.0, "Consolidation": 2.5, "Edema": 1.6, "Pneumonia": 1.6}

DOUBTFUL_TO_DENY = {
    "Pneumonia": {"Consolidation", "Infiltration"},
    "Consolidation": {"Pneumonia", "Infiltration"},
    "Infiltration": {"Pneumonia", "Consolidation"},
    "Edema": {"Infiltration", "Pneumonia", "Consolidation"},
    "Mass": {"Nodule", "Consolidation"},
    "Nodule": {"Mass"},
    "Enlarged Cardiomediastinum": {"Cardiomegaly"},
    "Fibrosis": {"Infiltration"},
}
"""What a careful author would not rule out where the first is on the film."""

MENTIONED: dict[str, tuple[str, ...]] = {
    "Atelectasis": ("Atelectasis",),
    "Cardiomegaly": ("Cardiomegaly",),
    "Effusion": ("Pleural Effusion",),
    "Infiltration": ("Lung Opacity",),
    "Mass": ("Lung Lesion",),
    "Nodule": ("Lung Lesion",),
    "Pneumonia": ("Pneumonia",),
    "Pneumothorax": ("Pneumothorax",),
    "Consolidation": ("Consolidation",),
    "Edema": ("Edema",),
    "Pleural_Thickening": ("Pleural Other",),
    "Fracture": ("Fracture",),
    "Enlarged Cardiomediastinum": ("Enlarged Cardiomediastinum",),
    "Support Devices": ("Support Devices",),
}
"""CheXpert's labels that naming a finding states; emphysema, fibrosis and hernia state none."""

NORMAL_HEART = (
    "The heart size is normal.",
    "Heart size is within normal limits.",
    "The heart is normal in size.",
    "Cardiac size is normal.",
)
NOTHING_ACUTE = (
    "No acute cardiopulmonary process.",
    "No acute cardiopulmonary abnormality.",
    "Normal chest radiograph.",
    "No acute intrathoracic process.",
)
UNRELATED = (
    "The visualized upper abdomen is unremarkable.",
    "Degenerative changes are noted in the thoracic spine.",
    "The trachea is midline.",
    "Imaged soft tissues are unremarkable.",
    "The aorta is mildly tortuous.",
    "No free air below the diaphragm is seen.",
    "The patient is slightly rotated.",
    "Findings were discussed with Dr. ___ by telephone at ___.",
)
REASONS = (
    "cough and fever, evaluate for pneumonia",
    "shortness of breath // eval for effusion or edema",
    "chest pain, rule out pneumothorax",
    "dyspnea // acute process?",
    "hypoxia",
    "weakness and fall // fracture?",
    "preoperative evaluation",
    "history of ___, now with fever",
)
