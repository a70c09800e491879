"""Structure many made reports with no sentence twice; a program of its own, so that its memory is that of the job.

It imports what the job imports and no more: made films, and with them torch, would hide what reports take.
"""

import itertools
import json
import re
import sys
from pathlib import Path

from maskray.config.preprocessing import ReportsConfig
from maskray.reports.structure import structure_reports

FULL_STOP = re.compile(r"(?<=[a-z]{3})\.(?=\s|$)")


def unlike(reports):
    """Every sentence of every report made unlike all others."""
    numbers = itertools.count()
    return (FULL_STOP.sub(lambda _: f" (image {next(numbers)}).", report) for report in reports)


def structure(texts, num_reports, folder):
    """Write the tables of so many reports, made of these texts over and over."""

    def read():
        several = (texts[i % len(texts)] for i in range(num_reports))
        return ((f"s{i:07d}", report) for i, report in enumerate(unlike(several)))

    structure_reports(read, ReportsConfig(), "made", 0, 1, folder / "reports.parquet", folder / "failed.csv")


if __name__ == "__main__":
    texts_file, count, output = sys.argv[1:]
    structure(json.loads(Path(texts_file).read_text(encoding="utf-8")), int(count), Path(output))
