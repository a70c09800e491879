import pytest

from maskray.reports.sections import described, preferred, split_sections

MIMIC = """                                 FINAL REPORT
 EXAMINATION:  CHEST (PA AND LAT)

 INDICATION:  ___F with cough  // eval for pneumonia

 FINDINGS:

 The lungs are
 clear.  Heart size is normal.

 IMPRESSION:

 1. No acute process.
 2. Stable nodule,
 4 mm.
"""


def test_mimic_layout():
    sections = split_sections(MIMIC)
    assert sections["findings"] == "The lungs are clear. Heart size is normal."
    assert sections["impression"] == "1. No acute process.\n2. Stable nodule, 4 mm."
    assert sections["indication"].startswith("___F with cough")
    assert list(sections) == ["preamble", "examination", "indication", "findings", "impression"]


def test_synonyms_have_one_name():
    sections = split_sections("CHEST, TWO VIEWS: Clear.\nCONCLUSION: Normal.")
    assert sections == {"findings": "Clear.", "impression": "Normal."}
    for heading in ("PA AND LATERAL VIEWS OF THE CHEST", "PORTABLE AP RADIOGRAPH", "FINDINGS"):
        assert split_sections(f"{heading}: Clear.") == {"findings": "Clear."}
    for heading in ("IMPRESSION", "FINDINGS AND IMPRESSION", "IMPRESSIONS"):
        assert split_sections(f"{heading}: Clear.") == {"impression": "Clear."}
    assert split_sections("COMPARISON CHEST RADIOGRAPH: None.\nFINDINGS: x") == {"comparison": "None.", "findings": "x"}


def test_last_section_of_a_name_wins_unless_empty():
    assert split_sections("IMPRESSION: old\nIMPRESSION: new")["impression"] == "new"
    assert split_sections("IMPRESSION: old\nIMPRESSION:\n")["impression"] == "old"


def test_empty_sections_are_dropped():
    assert split_sections("FINDINGS:\n\nIMPRESSION: Normal.") == {"impression": "Normal."}


def test_last_paragraph_only_without_findings_and_impression():
    text = "HISTORY: cough.\nCOMPARISON: None.\n\n The lungs are clear.\n\n No effusion."
    sections = split_sections(text)
    assert sections["last_paragraph"] == "The lungs are clear.\n\nNo effusion."
    assert described(sections) == {"findings": sections["last_paragraph"]}
    assert "last_paragraph" not in split_sections(text + "\nIMPRESSION: Normal.")


def test_preference():
    sections = {"comparison": "c", "last_paragraph": "l", "findings": "f", "impression": "i"}
    for name in ("impression", "findings", "last_paragraph", "comparison"):
        assert preferred(sections) == name[0]
        del sections[name]
    assert preferred(sections) is None
    assert described({"history": "cough"}) == {}


def test_no_heading_is_all_findings():
    text = "Bilateral opacities.\nSeen at 5:30 PM: stable. Notes: none"
    assert split_sections(text) == {"findings": "Bilateral opacities. Seen at 5:30 PM: stable. Notes: none"}
    assert split_sections("") == {}
    assert split_sections(" \n \n") == {}


def test_known_headings_in_other_cases():
    notes = "Presentation: Fever. Imaging Notes: Left opacity. Discussion: Typical."
    assert split_sections(notes) == {"history": "Fever.", "findings": "Left opacity.", "discussion": "Typical."}
    assert split_sections("Findings: Clear.\nimpression: Normal.") == {"findings": "Clear.", "impression": "Normal."}


def test_capitals_inside_a_line_are_no_heading():
    text = "IMPRESSION: Adenopathy. FINDINGS COULD REPRESENT HISTOPLASMOSIS."
    assert split_sections(text) == {"impression": "Adenopathy. FINDINGS COULD REPRESENT HISTOPLASMOSIS."}


def test_carriage_returns():
    assert split_sections("FINDINGS: a\r\nb\r\nIMPRESSION: c") == {"findings": "a b", "impression": "c"}


@pytest.mark.parametrize(
    "text",
    [
        "findings: Clear.\nimpression: Normal.",
        "Indication: cough. findings: Clear. impression: Normal.",
        "FINDINGS\nClear.\n\nIMPRESSION\nNormal.",
        "FINDINGS - Clear.\nIMPRESSION -- Normal.",
        "  FINDINGS :  Clear.\n\tCONCLUSION:\tNormal.",
        "WET READ: ___ 5:30 PM\n Effusion.\n______\n FINAL REPORT\n FINDINGS: Clear.\n IMPRESSION: Normal.",
        "FINDINGS: Clear.\nIMPRESSION: Normal.\n\nADDENDUM: Effusion, see CT.",
        "IMPRESSION: Effusion.\nFINDINGS: Clear.\nADDENDUM:\nIMPRESSION: Normal.",
    ],
)
def test_odd_headings(text):
    assert described(split_sections(text)) == {"findings": "Clear.", "impression": "Normal."}


def test_a_lone_wet_read_or_addendum_stands_for_the_report():
    assert described(split_sections("WET READ: No effusion.")) == {"findings": "No effusion."}
    assert described(split_sections("ADDENDUM: No effusion.")) == {"findings": "No effusion."}


def test_headings_of_organs_stay_in_the_findings():
    table = "LUNGS: Clear.\nHEART AND MEDIASTINUM: Normal.\nBONES: Intact."
    for text in (f"FINDINGS:\n{table}\nIMPRESSION: Normal.", f"INDICATION: cough\n{table}\nIMPRESSION: Normal."):
        assert described(split_sections(text)) == {"findings": table, "impression": "Normal."}
    inside = "IMPRESSION:\nLUNGS: Clear.\nHEART: Large."
    assert described(split_sections(inside)) == {"impression": "LUNGS: Clear.\nHEART: Large."}


def test_tables_keep_their_lines():
    text = "FINDINGS:\nLungs:   clear\nHeart:   normal in\n size\nPleura: no effusion"
    assert split_sections(text) == {"findings": "Lungs: clear\nHeart: normal in size\nPleura: no effusion"}


def test_blanks_are_kept():
    text = "FINDINGS: XXXX opacity, seen by Dr. ___.\nIMPRESSION: ___"
    assert split_sections(text) == {"findings": "XXXX opacity, seen by Dr. ___.", "impression": "___"}
