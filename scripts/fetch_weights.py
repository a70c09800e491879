"""Fetch the weights of a pre-trained encoder from the Hugging Face hub into the folder of --fetched.

No other program of maskray uses the network, but generate_definitions with --endpoint. NAME is owner/name (or
owner--name) on the hub, or a timm model with its tag, as vit_base_patch16_224.augreg_in1k. The folder then holds safetensors, settings and, for text, the tokenizer.
All other programs look for NAME, with / written as --, in the folder that the environment variable MASKRAY_WEIGHTS
names (weights/ by default).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__ or "")
    parser.add_argument("--weights", metavar="NAME", required=True, help="what to fetch")
    parser.add_argument("--fetched", type=Path, required=True, help="written last: repository, SHA-256 of each file")
    options = parser.parse_args(argv)

    from maskray.encoders.fetching import fetch, repository_of
    from maskray.files import write_json

    repository = repository_of(options.weights)
    files = fetch(options.weights, options.fetched.parent)
    write_json(options.fetched, {"repository": repository, "sha256": files})


if __name__ == "__main__":
    command.run(main)
