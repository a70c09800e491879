"""Draw which word pieces of a report may look at which others, with the mask that training would use (MMCLIP, Fig. 5).

The pieces are numbered; with --show-reports they are named by their words.
"""

from __future__ import annotations

from collections.abc import Sequence

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    parser.add_argument("--pretrained", required=True, metavar="DIR", help="folder of the pre-training")
    parser.add_argument("--index", required=True, metavar="FILE", help="index of the data set (Parquet)")
    parser.add_argument("--split", required=True, metavar="FILE", help="split of the data set (CSV)")
    parser.add_argument("--manifest", required=True, metavar="FILE", help="manifest beside the shards (JSON)")
    parser.add_argument("--reports", required=True, metavar="FILE", help="structured reports (Parquet)")
    parser.add_argument("--title", required=True, metavar="TEXT", help="model and data; stands in the picture")
    parser.add_argument("--show-reports", action="store_true", help="only for reports that anyone may read")
    parser.add_argument("--figure", required=True, metavar="FILE", help="SVG to write")
    parser.add_argument("--png", required=True, metavar="FILE", help="the same as PNG")
    arguments = parser.parse_args(argv)

    from pathlib import Path

    from maskray.tables.shown_films import GallerySource
    from maskray.tables.text_mask import draw_text_mask, explain_text

    source = GallerySource(*map(Path, (arguments.index, arguments.split, arguments.manifest, arguments.reports)))
    mask = explain_text(arguments.pretrained, source, arguments.show_reports)
    draw_text_mask(mask, arguments.title, arguments.figure, arguments.png)


if __name__ == "__main__":
    command.run(main)
