"""Fetch the weights of a pre-trained encoder from the Hugging Face hub into the folder of --fetched.

No other program of maskray uses the network, but generate_definitions with --endpoint. NAME is owner/name (or
owner--name) on the hub, or a timm model with its tag, as vit_base_patch16_224.augreg_in1k; behind an @ it may name a
revision: a commit, a tag or a branch. The folder then holds safetensors, settings and, for text, the tokenizer; the
record of --fetched names the commit. All other programs look for NAME, with / written as --, in the
folder that the environment variable MASKRAY_WEIGHTS names (weights/ by default).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__ or "")
    parser.add_argument("--weights", metavar="NAME", required=True, help="what to fetch")
    parser.add_argument(
        "--fetched", type=Path, required=True, help="written last: repository, commit, SHA-256 of each file"
    )
    options = parser.parse_args(argv)

    from dataclasses import asdict

    from maskray.encoders.fetching import fetch
    from maskray.files import write_json

    write_json(options.fetched, asdict(fetch(options.weights, options.fetched.parent)))


if __name__ == "__main__":
    command.run(main)
