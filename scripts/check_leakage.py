"""Look for test films and patients among those that a model is trained on; a leak is an error (status 1).

Alone, on anybody's lists (text files with a film a line, or CSV with columns such as image_id and patient_id):

    python scripts/check_leakage.py --lists train=train.csv test=test.csv
    python scripts/check_leakage.py --lists train=a.txt val=b.txt test=c.txt --index index.parquet --images folder

Each list is compared with each later one: names, patients where the lists or the index tell them, and with --images
how the films look. The workflow gives --settings and files instead: --indexes, --splits and --manifests begin with the
tested split's, followed by the pre-training one's where that is another.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__ or "")
    alone = parser.add_argument_group("on lists")
    alone.add_argument("--lists", nargs="+", metavar="NAME=FILE", help="two lists or more")
    alone.add_argument("--index", type=Path, metavar="PARQUET", help="index of maskray that names the patients")
    alone.add_argument("--images", type=Path, metavar="DIR", help="folder of the films, to compare pictures too")
    flow = parser.add_argument_group("in the workflow")
    flow.add_argument("--settings", metavar="FILE", help="the check (YAML, or as JSON)")
    for name, what in {"indexes": "PARQUET", "splits": "CSV", "manifests": "JSON", "bridges": "PARQUET"}.items():
        flow.add_argument(f"--{name}", type=Path, nargs="*", default=[], metavar=what)
    flow.add_argument("--excluded", type=Path, nargs="*", default=[], metavar="CSV", help="list of exclude_films")
    flow.add_argument("--verdict", type=Path, metavar="JSON", help="verdict to write")
    flow.add_argument("--page", type=Path, metavar="HTML", help="page for people to write")
    args = parser.parse_args(argv)
    if bool(args.lists) == bool(args.settings):
        parser.error("give either --lists or --settings")
    if args.lists:
        from maskray.data.leakage.lists import check_lists

        print(check_lists(args.lists, args.index, args.images))
        return
    if not (args.verdict and args.page and len(args.indexes) == len(args.splits) in (1, 2)):
        parser.error("--settings needs --verdict, --page, and --indexes and --splits of one or two splits")

    from maskray.config.leakage import CheckStage
    from maskray.data.leakage.check import CheckFiles
    from maskray.data.leakage.sources import SplitFiles
    from maskray.tables.leakage_page import write_check

    splits = map(SplitFiles, args.indexes, args.splits, args.manifests or [None] * len(args.indexes))
    files = CheckFiles(next(splits), next(splits, None), args.bridges, next(iter(args.excluded), None))
    write_check(CheckStage.read(args.settings), files, args.verdict, args.page)


if __name__ == "__main__":
    command.run(main)
