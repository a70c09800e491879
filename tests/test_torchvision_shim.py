"""The import order matters, so every case runs in a fresh interpreter."""

import subprocess
import sys


def run(code: str) -> str:
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_transformers_models_import_after_the_shim():
    code = (
        "from maskray.torchvision_shim import ensure_torchvision_imports as ensure\n"
        "ensure(); ensure()\n"
        "import torchvision\n"
        "from transformers import BertModel\n"
        "print(BertModel.__name__)"
    )
    assert run(code) == "BertModel"


def test_a_missing_torchvision_is_no_error():
    code = (
        "import sys; sys.modules['torchvision'] = None\n"
        "from maskray.torchvision_shim import ensure_torchvision_imports as ensure\n"
        "ensure(); print('fine')"
    )
    assert run(code) == "fine"


def test_other_runtime_errors_are_not_hidden(tmp_path):
    (tmp_path / "torchvision.py").write_text("raise RuntimeError('disk on fire')")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from maskray.torchvision_shim import ensure_torchvision_imports as ensure\n"
        "try:\n    ensure()\nexcept RuntimeError as error:\n    print(error)"
    )
    assert run(code) == "disk on fire"
