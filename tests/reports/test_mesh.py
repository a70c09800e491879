import csv
import gzip
import time
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

import pytest

from maskray.config.preprocessing import MeshConfig
from maskray.errors import InputError
from maskray.reports.mesh import MeshMatcher, matcher_of, mesh_spans, singular
from maskray.reports.mesh_files import read_mesh
from maskray.reports.styles import text_of

HEADINGS = [
    ("Lung", ["Lungs"], ["A04.411"]),
    ("Pneumonia, Viral", ["Viral Pneumonias"], ["C01.748.610.763", "C08.381.677.807"]),
    ("Pulmonary Atelectasis", ["Atelectasis"], ["C08.381.730"]),
    ("Calcimycin", ["A-23187 & co"], ["D03.633"]),
]
DOCTYPE = (
    '<!DOCTYPE DescriptorRecordSet SYSTEM "https://www.nlm.nih.gov/databases/dtd/nlmdescriptorrecordset_20240101.dtd">'
)


def xml_of(headings, doctype=DOCTYPE):
    records = "".join(
        f"<DescriptorRecord DescriptorClass='1'><DescriptorUI>D{n}</DescriptorUI><DescriptorName><String>{escape(name)}"
        "</String></DescriptorName><AllowableQualifiersList><AllowableQualifier><QualifierReferredTo><QualifierName>"
        "<String>diagnosis</String></QualifierName></QualifierReferredTo></AllowableQualifier></AllowableQualifiersList>"
        f"<TreeNumberList>{''.join(f'<TreeNumber>{t}</TreeNumber>' for t in trees)}</TreeNumberList>"
        f"<ConceptList><Concept><ConceptName><String>{escape(name)}</String></ConceptName><TermList>"
        f"{''.join(f'<Term><TermUI>T1</TermUI><String>{escape(t)}</String></Term>' for t in [name, *terms])}"
        "</TermList></Concept></ConceptList></DescriptorRecord>"
        for n, (name, terms, trees) in enumerate(headings)
    )
    return f'<?xml version="1.0"?>\n{doctype}\n<DescriptorRecordSet LanguageCode="eng">{records}</DescriptorRecordSet>'


def ascii_of(headings):
    return "".join(
        f"*NEWRECORD\nRECTYPE = D\nMH = {name}\nAQ = AA AD\n"
        + "".join(
            f"{'PRINT ENTRY' if n % 2 else 'ENTRY'} = {t}|T109|NON|EQV|NLM (1991)|\n" for n, t in enumerate(terms)
        )
        + "".join(f"MN = {tree}\n" for tree in trees)
        + "UI = D1\n\n"
        for name, terms, trees in headings
    )


def trees_of(headings):
    return "".join(f"{name};{tree}\n" for name, _, trees in headings for tree in trees)


def found(text, matcher):
    return [text[start:end] for start, end in matcher.spans(text)]


@pytest.mark.parametrize(
    ("plural", "single"),
    [
        ("lungs", "lung"), ("opacities", "opacity"), ("atelectases", "atelectasis"), ("metastases", "metastasis"),
        ("masses", "mass"), ("pneumothoraces", "pneumothorax"), ("vertebrae", "vertebra"), ("bullae", "bulla"),
        ("granulomata", "granuloma"), ("hila", "hilum"), ("bronchi", "bronchus"), ("apices", "apex"),
        ("diseases", "disease"), ("viruses", "virus"), ("stenoses", "stenosis"), ("prostheses", "prosthesis"),
        ("atelectasis", "atelectasis"), ("thorax", "thorax"), ("mass", "mass"), ("thymus", "thymus"), ("gas", "gas"),
    ],
)  # fmt: skip
def test_singulars(plural, single):
    assert singular(plural) == single


def test_longest_terms_in_any_case_and_number():
    matcher = MeshMatcher(["Pleural Effusion", "Lung", "Pneumonia", "Pneumonia, Viral", "Opacity"], [])
    assert found("LUNGS: small pleural effusions, viral\npneumonia. Pneumonia; opacities.", matcher) == [
        "LUNGS", "pleural effusions", "viral\npneumonia", "Pneumonia", "opacities",
    ]  # fmt: skip


def test_terms_keep_to_words_and_do_not_cross_marks():
    matcher = MeshMatcher(["Pleural Effusion", "Ground Glass", "Heart"], ["heart"])
    assert found("pleural, effusion. Pleural. Effusion. Interpleural effusion heart", matcher) == []
    assert found("ground-glass and ground glass", matcher) == ["ground-glass", "ground glass"]


def test_shorter_terms_are_tried_where_the_longest_fails():
    matcher = MeshMatcher(["aorta", "aorta thoracic dissection", "thoracic spine"], [])
    assert found("aorta thoracic spine", matcher) == ["aorta", "thoracic spine"]


def test_single_words_as_they_are_written():
    matcher = MeshMatcher(["Lung", "Pleural Effusion", "Opacity"], [], words="single")
    assert found("lung lungs pleural effusion Opacity opacities", matcher) == ["lung", "Opacity"]


def test_the_thoracic_list_knows_what_the_single_words_miss():
    text = "The lungs show atelectases, consolidation and patchy opacities; no pleural effusion. Old rib fractures."
    assert [text[a:b] for a, b in mesh_spans(text, MeshConfig())] == [
        "lungs", "atelectases", "consolidation", "opacities", "pleural effusion", "rib fractures",
    ]  # fmt: skip
    assert [text[a:b] for a, b in mesh_spans(text, MeshConfig(words="single"))] == []
    assert mesh_spans("No evidence of acute disease. Follow-up studies.", MeshConfig()) == []


@pytest.mark.parametrize(("name", "content"), [
    ("desc2024.xml", xml_of(HEADINGS).encode()),
    ("desc2024.gz", gzip.compress(xml_of(HEADINGS).encode())),
    ("d2024.bin", ascii_of(HEADINGS).encode()),
])  # fmt: skip
def test_nlm_files_with_entry_terms(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    read = list(read_mesh(path))
    assert [(each.terms, each.trees) for each in read] == [
        ((name, *terms), tuple(trees)) for name, terms, trees in HEADINGS
    ]
    matcher = matcher_of(MeshConfig(source=str(path)))
    # Viral pneumonia by its inverted name; a drug (tree D) is none.
    assert found("Lungs. Viral pneumonia, calcimycin.", matcher) == ["Lungs", "Viral pneumonia"]


def test_nlm_tree_file(tmp_path):
    path = tmp_path / "mtrees2024.bin"
    path.write_text(trees_of(HEADINGS))
    matcher = matcher_of(MeshConfig(source=str(path), words="single"))
    assert found("lung Lungs atelectasis", matcher) == ["lung"]


BOMB = '<!DOCTYPE d [<!ENTITY a "lung"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (xml_of(HEADINGS, BOMB).encode(), "declares XML entities"),
        (xml_of(HEADINGS)[:-60].encode(), "damaged"),
        (gzip.compress(xml_of(HEADINGS).encode())[:-20], "damaged"),
        (b"id\tname\n1\tLung\n", "neither desc<year>.xml"),
        (b"", "neither desc<year>.xml"),
        (trees_of([("Ethanol", [], ["D02.033"])]).encode(), "no descriptor of the trees A, C, E"),
        (None, "no such file"),
    ],
)
def test_other_files_are_refused(tmp_path, content, message):
    path = tmp_path / "mesh"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        matcher_of(MeshConfig(source=str(path)))


@pytest.fixture(scope="module")
def open_i(shared_data):
    """(text, headings of its annotators) of every Open-i report."""
    reports = []
    for path in sorted((shared_data / "open-i" / "ecgen-radiology").glob("*.xml")):
        root = ElementTree.parse(path).getroot()
        sections = {element.get("Label"): element.text or "" for element in root.iter("AbstractText")}
        if text := text_of(sections.get("FINDINGS", ""), sections.get("IMPRESSION", "")):
            reports.append((text, {(e.text or "").split("/")[0] for e in root.iter("major")}))
    if not reports:
        pytest.skip("no Open-i reports in the sample data")
    return reports


def test_nearly_all_real_reports_have_mesh_words(open_i):
    matcher = matcher_of(MeshConfig())
    started = time.process_time()
    numbers = [len(matcher.spans(text)) for text, _ in open_i]
    seconds = time.process_time() - started
    with_words = sum(number > 0 for number in numbers) / len(numbers)
    print(f"{with_words:.3f} of {len(numbers)}, mean {sum(numbers) / len(numbers):.1f}, {len(numbers) / seconds:.0f}/s")
    assert with_words >= 0.99
    assert sum(numbers) / len(numbers) >= 7
    # A loose bound: machines differ, and the tests share theirs.
    assert len(numbers) / seconds >= 1_500


@pytest.mark.parametrize(
    ("heading", "word"),
    [("Cardiomegaly", "cardiomegaly"), ("Pulmonary Atelectasis", "atelectasis"), ("Pleural Effusion", "effusion"),
     ("Scoliosis", "scoliosis"), ("Emphysema", "emphysema"), ("Hernia, Hiatal", "hernia")],
)  # fmt: skip
def test_words_of_the_annotators_headings_are_found(open_i, heading, word):
    """Where a report carries a heading and its text has the heading's noun, the noun is a MeSH word."""
    matcher = matcher_of(MeshConfig())
    said = [text for text, headings in open_i if heading in headings and word in text.lower()]
    hits = sum(any(word in text[a:b].lower() for a, b in matcher.spans(text)) for text in said)
    assert len(said) >= 10
    assert hits / len(said) >= 0.98


def test_the_whole_of_mesh_reads_like_nlm_writes_it(shared_data, tmp_path):
    table = shared_data / "knowledge" / "mesh_descriptors.tsv"
    if not table.is_file():
        pytest.skip(f"no {table}")
    with table.open(newline="", encoding="utf-8") as handle:
        headings = [
            (row["name"], [t for t in row["synonyms"].split("|") if t], row["tree_numbers"].split("|"))
            for row in csv.DictReader(handle, delimiter="\t")
        ]
    path = tmp_path / "desc.gz"
    path.write_bytes(gzip.compress(xml_of(headings[::4]).encode(), 1))
    assert len(list(read_mesh(path))) == len(headings[::4])
    assert len(matcher_of(MeshConfig(source=str(path)))) > 5_000
