"""The rules of the house: who may import whom, how long things get, and what must not be written anywhere."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from maskray.config.plan import TASKS

TOP = Path(__file__).resolve().parent.parent
LIBRARY = TOP / "src/maskray"
MODULES = sorted(LIBRARY.rglob("*.py"))
SCRIPTS = sorted((TOP / "scripts").glob("*.py"))
# Floor -> what it may stand on, besides itself and the ground.
GROUND = {"errors", "files", "command", "provenance", "batch", "postponed", "torchvision_shim", "storage"}
FLOORS = {
    "config": set(),
    "metrics": set(),
    "masking": {"config"},
    "encoders": {"config"},
    "decoders": {"config", "encoders"},
    "losses": {"config"},
    "methods": {"config", "masking", "encoders", "decoders", "losses"},
    "images": {"config"},
    "reports": {"config"},
    "data": {"config", "images", "reports"},
    "training": {"config", "data", "reports", "methods", "encoders", "losses"},
    "evaluation": {"config", "data", "reports", "methods", "encoders", "decoders", "training", "metrics"},
    "tables": {"config", "data", "reports", "methods", "training", "metrics"},
    "benchmarks": {"config", "images", "reports", "data", "encoders", "methods", "training", "evaluation", "metrics"},
}
# What a cluster node without the workflow's tools must be able to import.
LEAN = {"training", "evaluation", "methods", "encoders", "decoders", "losses", "masking", "metrics"}
WORKFLOW_ONLY = {"snakemake", "spacy", "radgraph", "pydicom", "hdf5plugin", "negspacy"}


def imports_of(path: Path) -> set[str]:
    """Every module that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def floor_of(path: Path) -> str:
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(LIBRARY)))
def test_a_module_stands_only_on_lower_floors(path):
    floor = floor_of(path)
    allowed = GROUND | FLOORS.get(floor, set()) | {floor, "__init__"}
    used = {name.split(".")[1] for name in imports_of(path) if name.startswith("maskray.")}
    assert used - {"__version__"} <= allowed, f"{floor} may not import {used - allowed}"


@pytest.mark.parametrize("path", [p for p in MODULES if floor_of(p) in LEAN], ids=lambda p: str(p.relative_to(LIBRARY)))
def test_training_and_evaluation_need_no_workflow_tools(path):
    assert not {name.split(".")[0] for name in imports_of(path)} & WORKFLOW_ONLY


def test_config_and_planning_load_no_torch():
    for path in (LIBRARY / "config").glob("*.py"):
        assert not {name.split(".")[0] for name in imports_of(path)} & {"torch", "numpy", "pandas"}, path
    for name in ("plan", "check", "merge"):
        assert "pydantic" not in {m.split(".")[0] for m in imports_of(LIBRARY / f"config/{name}.py")}


@pytest.mark.parametrize("path", MODULES + SCRIPTS, ids=lambda p: str(p.relative_to(TOP)))
def test_files_and_functions_stay_small(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= (60 if path in SCRIPTS else 300)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 60, node.name


def test_rule_files_stay_small():
    for path in (TOP / "workflow/rules").glob("*.smk"):
        assert path.read_text().count("\n") <= 150, path


def test_no_module_is_a_drawer_for_everything():
    assert not [p for p in MODULES if p.stem in {"utils", "util", "misc", "helpers", "common"}]


def test_every_script_is_used_and_every_command_has_a_script():
    called = set()
    for path in (TOP / "workflow/rules").glob("*.smk"):
        called |= set(re.findall(r'command\(\s*"([a-z_]+)"', path.read_text()))
        called |= set(TASKS.values()) if '"{params.script}"' in path.read_text() else set()
    by_hand = set(re.findall(r"scripts/([a-z_]+)\.py", (TOP / "Makefile").read_text()))
    assert {p.stem for p in SCRIPTS} == called | by_hand


def test_shell_commands_of_a_loop_name_nothing_of_it():
    """Snakemake puts them together when a job runs: the names of a loop then have their last values."""
    text = (TOP / "workflow/rules/evaluate.smk").read_text()
    shells = re.findall(r"^( +)shell:\n((?:\1 +.*\n)+)", text, re.M)
    assert len(shells) >= 4
    for _, block in shells:
        assert not re.search(r"\b(task|benchmark|dataset)\b", block), block


def test_conda_environment_holds_the_same_list_as_requirements():
    pins = [line for line in (TOP / "requirements.txt").read_text().splitlines() if line and not line.startswith("#")]
    environment = yaml.safe_load((TOP / "envs/main.yaml").read_text())
    assert environment["dependencies"][-1]["pip"] == pins


def test_nothing_unsafe_is_called():
    for path in MODULES + SCRIPTS:
        text = path.read_text(encoding="utf-8")
        unsafe = r"\beval\(|\bexec\(|yaml\.load\((?!.*, yaml\.C?SafeLoader\)$)|pickle\.load|import pickle"
        assert not re.search(unsafe, text.replace(".eval(", ""), re.MULTILINE), path
        for call in re.findall(r"torch\.load\([^)]*\)", text):
            assert "weights_only=True" in call, (path, call)


def test_no_path_of_any_machine_is_committed():
    files = subprocess.run(["git", "ls-files"], cwd=TOP, capture_output=True, text=True, check=True).stdout.split()
    pattern = re.compile(r"(?<![\w.$])/(?:home|root|work|Users|mnt|scratch)/\w")
    for name in files:
        path = TOP / name
        if path.suffix in {".py", ".smk", ".yaml", ".toml", ".sh"} and path.is_file():
            assert not pattern.search(path.read_text(encoding="utf-8")), name
