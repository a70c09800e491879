import json
import re
from dataclasses import replace

import pytest
from PIL import Image

from maskray.config.stages import ReportStage
from maskray.errors import InputError
from maskray.tables.render import html
from maskray.tables.report import Sources, render_report

STAGE = {
    "data_note": "MADE DATA (painted films)",
    "made": True,
    "papers": {"mnm": {"title": "Masks & Manuscripts", "authors": "G", "link": "https://example.org/a"}},
    "changes": {"mnm": {"finetune.learning_rates": [[1e-5], None]}},
    "datasets": {"rsna": {"title": "RSNA <Pneumonia>", "licence": "see Kaggle"}},
    "seeds": {"pretrain": [0], "finetune": [0, 1]},
}


@pytest.fixture
def sources(tmp_path, make_layout):
    table = tmp_path / "tables/mnm/table1.html"
    table.parent.mkdir(parents=True)
    table.write_text(html(make_layout(made=True)))
    figures = [tmp_path / f"mnm-default-seed0-{name}" for name in ("learning_curves.svg", "gallery.png")]
    figures[0].write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    Image.new("L", (4, 4)).save(figures[1])
    manifest = tmp_path / "data/rsna/shards/manifest.json"
    split = tmp_path / "data/rsna/splits/maco/summary.json"
    provenance = tmp_path / "provenance.json"
    part = {"images": 1234, "patients": 1000}
    contents = {
        manifest: {"dataset": "rsna", "num_images": 26684, "num_rejected": 3, "hash": "ab" * 32},
        split: {"note": "by patient", "parts": {"train": part, "validation": part, "test": part}},
        provenance: {
            "commit": "c0ffee" * 6,
            "has_local_changes": True,
            "duration_seconds": 90,
            "versions": {"torch": "2.13.0", "snakemake": ""},
            "host": "secret-node",
        },
    }
    for path, content in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    return Sources([table], figures, [manifest], [split], [provenance])


def render(sources, **changes):
    return render_report(ReportStage.parse(STAGE | changes, "stage"), sources)


def test_page_needs_no_other_file(sources):
    page = render(sources)
    assert not re.search(r'(?:src|href)="(?!data:|#|https://example\.org/a")', page)
    assert "@import" not in page
    assert page.count("<style>") == 1


def test_page_says_what_was_run(sources):
    page = render(sources)
    for told in (
        "MADE DATA (painted films)",
        "Masks &amp; Manuscripts",
        "2 of 8",
        "pre-training 0; fine-tuning 0, 1",
        "finetune.learning_rates",
        "[1e-05]",
        "(not set)",
        "RSNA &lt;Pneumonia&gt;",
        "26,684",
        "1,234",
        "by patient",
        "No verdicts of the leakage guard",
        "c0ffeec0ffee",
        "local changes",
        "2.13.0",
    ):
        assert told in page, told
    assert "secret-node" not in page


def test_figures_are_embedded_under_their_paper(sources):
    page = render(sources)
    assert page.index("data:image/svg+xml;base64,") < page.index("data:image/png;base64,") < page.index('id="data"')
    assert 'alt="Gallery of mnm, variant default, pre-training seed 0"' in page


def test_figures_of_a_benchmark_have_a_section_and_name_their_data_set(sources):
    names = ("ms_cxr_grounding.png", "ms_cxr_grounding_tau.png", "covid_rural_segmentation.png")
    for name in names:
        Image.new("L", (4, 4)).save(sources.figures[1].with_name(f"mnm-default-seed0-{name}"))
    more = [sources.figures[1].with_name(f"mnm-default-seed0-{name}") for name in names]
    page = render(replace(sources, figures=[*sources.figures, *more]))
    assert "<h3>Phrase grounding</h3>" in page
    assert 'alt="Phrase grounding, MS-CXR of mnm, variant default, pre-training seed 0"' in page
    assert 'alt="Phrase grounding over tau, MS-CXR of mnm, variant default, pre-training seed 0"' in page
    assert "<h3>Segmentation</h3>" in page
    assert 'alt="Segmentation, COVID-RURAL of mnm, variant default, pre-training seed 0"' in page


def test_a_gallery_of_several_variants_has_a_section_of_its_own(sources):
    picture = sources.figures[1].with_name("mnm-figure2-side_by_side.png")
    picture.write_bytes(sources.figures[1].read_bytes())
    page = render(replace(sources, figures=[*sources.figures, picture]))
    assert "<h3>Variants side by side</h3>" in page
    assert 'alt="Fig. 2 of mnm"' in page


def test_the_mask_of_a_report_has_a_section_of_its_own(sources):
    picture = sources.figures[0].with_name("mnm-default-seed0-text_mask.svg")
    picture.write_bytes(sources.figures[0].read_bytes())
    assert "<h3>Mask of a report</h3>" in render(replace(sources, figures=[*sources.figures, picture]))


def test_png_of_a_curve_is_left_out_where_there_is_an_svg(sources):
    png = sources.figures[0].with_suffix(".png")
    png.write_bytes(sources.figures[1].read_bytes())
    both = Sources(sources.tables, [*sources.figures, png])
    assert render(both).count("<figure>") == 2


def test_real_data_are_not_called_made(sources):
    page = render(Sources([]), made=False, data_note="real films", changes={})
    assert "made data" not in page.lower()
    assert "prove the machinery, not the method" in page
    assert "No counts were given" in page
    assert "uses the paper file as it stands" in page


def test_settings_are_escaped(sources):
    page = render(Sources([]), data_note="<b>x</b>", changes={"mnm": {"<i>": ["<script>", 1]}})
    assert "<script>" not in page
    assert "<b>x" not in page
    assert "<i>" not in page


def test_comparisons_are_folded_below_their_own_table(sources):
    style = "<style>\nx</style>\n"
    files = [sources.tables[0].with_name(f"{name}-comparisons.html") for name in ("table1", "table2")]
    for file in files:
        file.write_text(f'{style}<details class="maskray-table">tests of {file.stem}</details>')
    page = render(replace(sources, comparisons=files[:1]))
    assert page.count("<style>") == 1
    assert page.index('class="notes"') < page.index("tests of table1-comparisons") < page.index("<h3>Learning curves")
    assert "tests of" not in render(sources)
    assert "tests of table2" not in render(replace(sources, comparisons=files))


def test_a_link_that_is_no_web_address_is_only_text(sources):
    page = render(Sources([]), papers={"mnm": {"title": "T", "link": "javascript:alert(1)"}})
    assert 'href="javascript' not in page


def test_same_files_same_page(sources):
    assert render(sources) == render(sources)


@pytest.mark.parametrize("name", ["tables", "comparisons", "manifests", "splits", "provenances"])
def test_a_file_of_another_kind_is_named(sources, tmp_path, name):
    fragment = tmp_path / "table1-comparisons.html"
    fragment.write_text('<details class="maskray-table"></details>')
    sources = replace(sources, comparisons=[fragment])
    path = getattr(sources, name)[0]
    path.write_text('{"x": 1}')
    with pytest.raises(InputError) as error:
        render(sources)
    assert str(path) in str(error.value)


def test_a_missing_figure_is_named(sources):
    sources.figures[1].unlink()
    with pytest.raises(InputError, match="gallery"):
        render(sources)
