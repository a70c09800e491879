"""Look at every data set of a run, before anything is computed, and say on one page what there is of it.

Counts beside those of a complete copy, labels, views, size, files that cannot be films. A data set that cannot be read
does not stop the others: the page is written first, then the status is 1. One without a named folder is only said.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskray import command


def decode_of(text: str) -> int | str:
    return text if text == "all" else int(text)


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__ or "")
    parser.add_argument("--settings", required=True, help="all data sets of the run (YAML, or as JSON)")
    parser.add_argument("--site", required=True, help="the `site` section: their folders (YAML, or as JSON)")
    parser.add_argument(
        "--decode", type=decode_of, metavar="N|all", help="films to decode whole, instead of the settings' number"
    )
    parser.add_argument("--html", type=Path, required=True, help="page to write")
    parser.add_argument("--markdown", type=Path, required=True, help="the same as text")
    arguments = parser.parse_args(argv)

    from maskray.config.preprocessing import CheckDataConfig
    from maskray.config.stages import CheckDataStage
    from maskray.config.workflow import SiteConfig
    from maskray.data.inspection import inspect_all
    from maskray.errors import InputError
    from maskray.files import write_text
    from maskray.tables.data_check import data_check_html, data_check_markdown, data_check_text

    stage = CheckDataStage.read(arguments.settings)
    if arguments.decode is not None:
        chosen = CheckDataConfig.parse({"decode": arguments.decode, "seed": stage.check_data.seed}, "--decode")
        stage = stage.model_copy(update={"check_data": chosen})
    inspections = inspect_all(stage, SiteConfig.read(arguments.site))
    write_text(arguments.html, data_check_html(stage, inspections))
    write_text(arguments.markdown, data_check_markdown(stage, inspections))
    print(f"\n{data_check_text(inspections)}\nPage: {arguments.html}", flush=True)
    if bad := [one.dataset.name for one in inspections if one.is_bad]:
        raise InputError(f"{', '.join(bad)}: configured, but a run would stop there; {arguments.html} says why")


if __name__ == "__main__":
    command.run(main)
