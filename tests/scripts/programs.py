"""Runs programs as a user does."""

import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent


def run_program(program, *arguments):
    """``scripts/<program>.py``, or any command, from the top of the repository; one thread, no network."""
    command = [program] if program == sys.executable else [sys.executable, f"scripts/{program}.py"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    return subprocess.run(
        [*command, *arguments], cwd=TOP, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
