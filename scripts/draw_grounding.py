"""Draw a few phrases on their films: the boxes that radiologists drew, and where a pre-trained method looks.

A phrase is report text: without --show-phrases the picture names its finding alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from maskray import command
from maskray.evaluation import job


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    job.add_input_flags(parser, provenance=False)
    parser.add_argument("--num-phrases", required=True, type=int, metavar="N", help="how many phrases")
    parser.add_argument("--data-note", required=True, metavar="TEXT", help="which data these are; stands in it")
    parser.add_argument("--show-phrases", action="store_true", help="only for reports that anyone may read")
    parser.add_argument("--figure", required=True, metavar="FILE", help="PNG to write")
    arguments = parser.parse_args(argv)

    from maskray.config.stages import GroundingStage
    from maskray.errors import InputError

    if arguments.num_phrases < 1:
        raise InputError("--num-phrases: at least 1")
    opened = job.open_job(arguments, GroundingStage)

    from maskray.evaluation.grounding import ground, phrases_of, spread_phrases
    from maskray.tables.grounding import ShownPhrase, draw_grounding
    from maskray.training.export import load_method

    loaded = load_method(arguments.pretrained)
    config = opened.stage.grounding.model_copy(update={"taus": ()})
    phrases = spread_phrases(phrases_of(opened.images), arguments.num_phrases)
    shown = [
        ShownPhrase(
            one.phrase.text if arguments.show_phrases else "", one.phrase.label, one.film_SS, one.maps[""], one.edges
        )
        for one in ground(loaded, opened.images, phrases, config, opened.runtime)
    ]
    title = f"{loaded.stage.paper}, variant {loaded.stage.variant}: phrase grounding"
    draw_grounding(shown, title, arguments.data_note, arguments.figure)


if __name__ == "__main__":
    command.run(main)
