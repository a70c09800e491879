"""What a program takes of the machine."""

import json
import subprocess
import sys
from typing import NamedTuple

# A forked process counts its parent's memory as its own peak: pytest must not be that parent.
_LAUNCHER = """
import json, os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=sys.stderr)
_, status, usage = os.wait4(process.pid, 0)
seconds = usage.ru_utime + usage.ru_stime
print(json.dumps([os.waitstatus_to_exitcode(status), seconds, time.perf_counter() - start, usage.ru_maxrss / 1024]))
"""


class Usage(NamedTuple):
    """Seconds of processor, seconds by the clock, and the most memory at any time."""

    seconds: float
    by_clock: float
    mebibytes: float


def measured(*command) -> Usage:
    """Run a Python program to its end; it must succeed."""
    launched = [sys.executable, "-c", _LAUNCHER, sys.executable, *map(str, command)]
    code, *usage = json.loads(subprocess.check_output(launched))
    assert code == 0
    return Usage(*usage)
