"""The import order matters, so every case runs in a fresh interpreter."""

from tests.test_torchvision_shim import run


def test_torchvision_and_timm_leave_the_compiler_alone():
    code = (
        "import sys, torch\n"
        "disable = torch.compiler.disable\n"
        "from maskray.postponed import compiler_postponed\n"
        "from maskray.torchvision_shim import ensure_torchvision_imports\n"
        "ensure_torchvision_imports()\n"
        "with compiler_postponed():\n    import timm\n"
        "assert torch.compiler.disable is disable\n"
        "print([name for name in sys.modules if name.startswith('torch._dynamo')])\n"
    )
    assert run(code) == "[]"


def test_a_text_encoder_leaves_scipy_optimize_alone_until_it_is_called():
    code = (
        "import sys\n"
        "from maskray.config.encoders import TextEncoderConfig\n"
        "from maskray.encoders.text_models import create_text_model\n"
        "create_text_model(TextEncoderConfig(weights=None, width=24, depth=1, num_heads=2), 100)\n"
        "print('scipy.optimize' in sys.modules)\n"
        "from transformers.loss.loss_for_object_detection import linear_sum_assignment as solve\n"
        "print(*solve([[1, 0], [0, 1]]))\n"
        "import scipy.optimize\n"
        "print(scipy.optimize.linear_sum_assignment is not solve)\n"
    )
    assert run(code).splitlines() == ["False", "[0 1] [1 0]", "True"]


def test_the_compiler_still_answers_during_and_after():
    code = (
        "from maskray.postponed import compiler_postponed\n"
        "with compiler_postponed():\n"
        "    from torch._dynamo.utils import is_compile_supported\n"
        "    from torch._dynamo.utils import counters\n"
        "import torch._dynamo.utils as real\n"
        "assert real.counters is counters\n"
        "print(is_compile_supported('cpu') == real.is_compile_supported('cpu'), real.is_compile_supported.__module__)"
    )
    assert run(code) == "True torch._dynamo.utils"
