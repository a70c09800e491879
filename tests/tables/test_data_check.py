import re

import pytest

from maskray.config.dataset import DatasetConfig
from maskray.config.stages import CheckDataStage
from maskray.data.film_files import FilmFiles
from maskray.data.inspection import Count, Inspection, LabelCount, ReportCount
from maskray.tables.data_check import (
    data_check_html,
    data_check_markdown,
    data_check_text,
    facts,
    summary,
)


def dataset(name):
    return DatasetConfig(
        name=name, title=f"The <{name}> films", reader=name, licence="free", access="https://a.example/x_y"
    )


FILMS = FilmFiles(
    num_files=1234,
    num_bytes=2_345_678_901,
    unreadable=(("a.png", "the file is empty (0 bytes)"),),
    misnamed=tuple((f"{n}.jpg", "PNG") for n in range(7)),
    num_decoded=50,
    damaged=(("b.png", "damaged PNG: cut"),),
    unused=("z.png",),
)
PARTIAL = Inspection(
    dataset("nih"),
    "partial",
    folder="/films/nih",
    notes=("3 rows have no file",),
    counts=(Count("images", 1234, 112120), Count("patients", 9, 9), Count("studies", 1234, None)),
    labels=(LabelCount("Pleural_Thickening", 1000, 200, 34),),
    views={"PA": 1200, "": 34},
    parts={"": 1234},
    marks={"boxes": 5, "rle": 0, "mask": 0},
    films=FILMS,
    reports=ReportCount(1200, 1234, 34),
)
UNREAD = Inspection(dataset("rsna"), "cannot be read", "/films/rsna", "table.csv, line 3: <bad>")
ABSENT = Inspection(dataset("mimic"), "not configured", problem="no folder is named in site.mimic.folder")
ALL = (PARTIAL, UNREAD, ABSENT)
STAGE = CheckDataStage(data_note="made & painted", datasets={})


def test_summary_line():
    assert summary(PARTIAL) == ("nih", "partial", "1,234 of 112,120", "9", "2.3 GB", "2", "1,200")
    assert summary(ABSENT) == ("mimic", "not configured", "", "", "", "", "")


def test_facts_say_everything_once():
    told = dict(facts(PARTIAL))
    assert told["Images"] == "1,234 of 112,120"
    assert told["Patients"] == "9"
    assert told["Views"] == "PA 1,200, not stated 34"
    assert "Official parts" not in told
    assert told["Marked images"] == "boxes on 5"
    assert told["Size on disk"] == "2.3 GB in 1,234 listed files"
    assert told["Headers"] == "1 of 1,234 cannot be films, a.png: the file is empty (0 bytes)"
    assert told["Decoded whole"] == "1 of 50 failed, b.png: damaged PNG: cut"
    assert told["Other format than the name says"].startswith("7 (harmless: content decides), e.g. 0.jpg is PNG;")
    assert told["Film files beside them that are not used"] == "1, z.png"
    assert told["Reports"] == "1,200; 34 of the 1,234 studies with films have none"
    assert told["Said by the reader"] == "3 rows have no file"
    assert dict(facts(UNREAD))["Problem"] == "table.csv, line 3: <bad>"
    assert dict(facts(ABSENT))["Where to get it"] == "https://a.example/x_y"


def test_reports_that_cannot_be_read_say_what_follows():
    one = Inspection(dataset("mimic"), "found", reports=ReportCount(problem="reports.zip: missing"))
    assert dict(facts(one))["Reports"].endswith("nothing can be pre-trained on this data set: reports.zip: missing")
    assert summary(one)[-1] == "not read"


def test_html_is_escaped_and_needs_no_other_file():
    page = data_check_html(STAGE, ALL)
    assert "made &amp; painted" in page
    assert "The &lt;nih&gt; films" in page
    assert "table.csv, line 3: &lt;bad&gt;" in page
    assert '<span class="state cannot-be-read">cannot be read</span>' in page
    assert re.search(r'<th scope="row">Pleural_Thickening</th>(<td class="num">[\d,]+</td>){3}', page)
    assert not re.search(r'(?:src|href)="(?!#)', page)
    assert page == data_check_html(STAGE, ALL)


def test_a_long_list_of_labels_is_folded():
    assert "<details open>" in data_check_html(STAGE, [PARTIAL])
    many = Inspection(dataset("padchest"), "found", labels=tuple(LabelCount(str(n), 1, 2, 3) for n in range(193)))
    page = data_check_html(STAGE, [many])
    assert "<details>\n<summary>193 labels</summary>" in page


@pytest.mark.parametrize("name", ["nih", "rsna", "mimic"])
def test_each_data_set_of_the_overview_leads_to_its_section(name):
    page = data_check_html(STAGE, ALL)
    assert f'<a href="#{name}">' in page
    assert f'<section id="{name}">' in page


def test_markdown_holds_the_same_facts():
    page = data_check_markdown(STAGE, ALL)
    assert "| nih | partial | 1,234 of 112,120 | 9 | 2.3 GB | 2 | 1,200 |" in page
    assert "- Problem: table.csv, line 3: &lt;bad&gt;" in page
    assert "| Pleural\\_Thickening | 1,000 | 200 | 34 |" in page
    assert "- **partial**: readable" in page
    assert "**complete**" not in page
    for heading, _ in facts(PARTIAL):
        assert f"- {heading}: " in page


def test_terminal_text_is_plain_and_names_what_is_wrong():
    text = data_check_text(ALL)
    assert text.isascii()
    assert "\x1b" not in text
    lines = text.splitlines()
    assert lines[0].split() == ["Data", "set", "State", "Films", "Patients", "Size", "Bad", "files", "Reports"]
    assert "rsna: table.csv, line 3: <bad>" in lines
    assert "mimic: get it: https://a.example/x_y" in lines
    assert "nih: a.png: the file is empty (0 bytes)" in lines
    assert not any("get it" in line for line in lines if line.startswith("nih"))


def test_made_films_have_no_licence_of_the_real_ones():
    made = Inspection(dataset("nih").model_copy(update={"made": True}), "made")
    assert dict(facts(made)) == {"Licence": "none needed, painted by maskray"}
