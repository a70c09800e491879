"""The import order matters, so every case runs in a fresh interpreter."""

from tests.test_torchvision_shim import run


def test_torchvision_and_timm_leave_the_compiler_alone():
    code = (
        "import sys, torch\n"
        "disable = torch.compiler.disable\n"
        "from maskray.compiler_shim import compiler_postponed\n"
        "from maskray.torchvision_shim import ensure_torchvision_imports\n"
        "ensure_torchvision_imports()\n"
        "with compiler_postponed():\n    import timm\n"
        "assert torch.compiler.disable is disable\n"
        "print([name for name in sys.modules if name.startswith('torch._dynamo')])\n"
    )
    assert run(code) == "[]"


def test_the_compiler_still_answers_during_and_after():
    code = (
        "from maskray.compiler_shim import compiler_postponed\n"
        "with compiler_postponed():\n"
        "    from torch._dynamo.utils import is_compile_supported\n"
        "    from torch._dynamo.utils import counters\n"
        "import torch._dynamo.utils as real\n"
        "assert real.counters is counters\n"
        "print(is_compile_supported('cpu') == real.is_compile_supported('cpu'), real.is_compile_supported.__module__)"
    )
    assert run(code) == "True torch._dynamo.utils"
