"""Draw validation films as a pre-trained method sees them: film, ridge response, hidden patches, reconstruction.

Each film is named by its id and its labels. With --show-reports the text stands beside it, as the method reads it.
With several models, each with a name, the same films show what each of them hides and reconstructs, side by side.
"""

from __future__ import annotations

from collections.abc import Sequence

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    parser.add_argument("--pretrained", required=True, nargs="+", metavar="DIR", help="folders of pre-trainings")
    parser.add_argument("--names", nargs="+", default=[], metavar="NAME", help="of several models, one each")
    parser.add_argument("--index", required=True, metavar="FILE", help="index of the data set (Parquet)")
    parser.add_argument("--split", required=True, metavar="FILE", help="split of the data set (CSV)")
    parser.add_argument("--manifest", required=True, metavar="FILE", help="manifest beside the shards (JSON)")
    parser.add_argument("--reports", required=True, metavar="FILE", help="structured reports (Parquet)")
    parser.add_argument("--num-images", required=True, type=int, metavar="N", help="how many films")
    parser.add_argument("--title", required=True, metavar="TEXT")
    parser.add_argument(
        "--data-note", required=True, metavar="TEXT", help="which data these are; stands in the picture"
    )
    parser.add_argument("--show-reports", action="store_true", help="only for reports that anyone may read")
    parser.add_argument("--figure", required=True, metavar="FILE", help="PNG to write")
    arguments = parser.parse_args(argv)

    from pathlib import Path

    from maskray.errors import InputError
    from maskray.tables.figures import draw_gallery
    from maskray.tables.gallery import explain_films
    from maskray.tables.shown_films import GallerySource

    if arguments.num_images < 1:
        raise InputError("--num-images: at least 1")
    source = GallerySource(*map(Path, (arguments.index, arguments.split, arguments.manifest, arguments.reports)))
    shown = source, arguments.num_images, arguments.show_reports, arguments.names
    draw_gallery(explain_films(arguments.pretrained, *shown), arguments.title, arguments.data_note, arguments.figure)


if __name__ == "__main__":
    command.run(main)
