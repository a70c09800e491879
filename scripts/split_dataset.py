"""Draw one protocol's split of a data set: train, validation and test by patient, and the nested label fractions.

Or read it: from the owners' lists, or from a folder with your own train.txt, validation.txt and test.txt.

The summary has the counts, the hash of the ids of each part and fraction, and what did not come out as asked.
"""

from collections.abc import Sequence
from pathlib import Path

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__ or "")
    parser.add_argument("--index", type=Path, required=True, metavar="PARQUET", help="the data set's index")
    parser.add_argument("--settings", required=True, metavar="FILE", help="the protocol (YAML, or as JSON)")
    parser.add_argument("--lists", metavar="DIR", help="where the user's lists lie, if the protocol has such")
    parser.add_argument("--labels", nargs="+", required=True, metavar="LABEL", help="labels to stratify by")
    parser.add_argument("--split", type=Path, required=True, metavar="CSV", help="the split to write")
    parser.add_argument("--summary", type=Path, required=True, metavar="JSON", help="the summary to write")
    args = parser.parse_args(argv)

    import logging

    from maskray.config.dataset import SplitConfig
    from maskray.data import splits
    from maskray.data.index import load_index
    from maskray.errors import InputError
    from maskray.files import write_json

    config, index = SplitConfig.read(args.settings), load_index(args.index)
    if args.lists:
        # The workflow's settings have the hash of the lists, so that moving them reruns nothing.
        config = config.model_copy(update={"lists": args.lists})
    try:
        drawn = splits.draw(index, config, args.labels)
    except InputError as error:
        raise InputError(f"{args.index}: {error}") from None
    for note in drawn.notes:
        logging.getLogger(__name__).warning("%s", note)
    splits.write_split(drawn.split, args.split)
    write_json(args.summary, splits.summarise(drawn, index, config, args.labels))


if __name__ == "__main__":
    command.run(main)
