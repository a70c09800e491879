"""What the pages say of code, tests, links and settings must exist."""

import re
from pathlib import Path

import pytest
import yaml

from maskray.methods import METHODS

TOP = Path(__file__).resolve().parent.parent
PAGES = [
    *sorted((TOP / "docs").glob("*.md")),
    *(TOP / name for name in ("README.md", "CONTRIBUTING.md", "results/README.md", "config/published/README.md")),
]
TESTS = "".join(path.read_text(encoding="utf-8") for path in (TOP / "tests").rglob("test_*.py"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_named_tests_and_functions_exist(page):
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"`(test_[a-z0-9_]+)`", text):
        assert f"def {name}(" in TESTS, name
    for path, name in re.findall(r"`([\w/]+\.py): (\w+)`", text):
        module = TOP / "src/maskray" / (path if "/" in path else f"methods/{path}")
        assert re.search(rf"^ *(?:def|class) {name}\b", module.read_text(encoding="utf-8"), re.MULTILINE), (path, name)


@pytest.mark.parametrize("name", METHODS)
def test_each_method_has_a_page_that_leads_from_every_equation_to_code_and_test(name):
    page = (TOP / f"docs/{name}.md").read_text(encoding="utf-8")
    source = (TOP / f"src/maskray/methods/{name}.py").read_text(encoding="utf-8")
    equations = set(re.findall(r"Eq\. \(\d+\)", source))
    assert equations
    for equation in equations:
        assert re.search(rf"^\| {re.escape(equation)}[^|]*\| `[^|]+` \| `test_", page, re.MULTILINE), equation


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_links_lead_somewhere(page):
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", page.read_text(encoding="utf-8")):
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), target
        if anchor:
            heads = re.findall(r"^#+ (.*)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
            assert anchor in anchors, anchor


@pytest.mark.parametrize("name", METHODS)
def test_each_knob_stands_in_the_paper_file_and_in_choices(name):
    knobs = set(METHODS[name].Config.model_fields)
    settings = yaml.safe_load((TOP / f"config/papers/{name}.yaml").read_text(encoding="utf-8"))["method"]
    assert set(settings) == knobs
    choices = (TOP / "docs/choices.md").read_text(encoding="utf-8")
    for knob, value in settings.items():
        written = str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else value
        written = f"[{', '.join(map(str, value))}]" if isinstance(value, list) else written
        assert f"`{knob}: {written}`" in " ".join(choices.split()), (knob, written)
