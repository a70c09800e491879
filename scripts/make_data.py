"""Paint a made data set: chest films and reports in the official layout of one public data set.

No patient is shown. The same settings give the same bytes. An earlier made folder is replaced; a folder with other
contents is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__ or "")
    parser.add_argument("--dataset", required=True, help="whose layout; a name that is not known lists them")
    parser.add_argument("--settings", required=True, help="num_studies per data set, image_px, seed (YAML, or as JSON)")
    parser.add_argument("--folder", required=True, type=Path, help="site folder to write")
    parser.add_argument("--manifest", required=True, type=Path, help="JSON: what was made")
    args = parser.parse_args(argv)

    from maskray.config.preprocessing import MadeConfig
    from maskray.data.made import make_dataset
    from maskray.files import write_json

    manifest = make_dataset(args.dataset, args.folder, MadeConfig.read(args.settings))
    write_json(args.manifest, manifest)


if __name__ == "__main__":
    command.run(main)
