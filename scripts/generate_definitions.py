"""Ask a language model for definition and appearance of every finding, with the prompts of D-MLM (Sec. 2.1).

The model is a local Hugging Face folder, or with --endpoint one of an OpenAI-compatible service, as https://host/v1.
Only names of the vocabulary (reports/findings.yaml) are ever sent: this program reads no report and no image.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__ or "")
    parser.add_argument("--model", required=True, help="local folder, or the model's name at the endpoint")
    parser.add_argument("--endpoint", metavar="URL", default="", help="base of the service; empty: a local model")
    parser.add_argument(
        "--key-variable", default="MASKRAY_API_KEY", metavar="NAME", help="environment variable that holds its key"
    )
    parser.add_argument("--max-new-tokens", type=int, default=256, help="upper bound of an answer")
    parser.add_argument("--definitions", type=Path, required=True, help="JSON to write")
    arguments = parser.parse_args(argv)

    from maskray.errors import InputError
    from maskray.reports.definitions import write_definitions
    from maskray.reports.generation import Endpoint, LocalModel, generate_definitions
    from maskray.reports.vocabulary import FINDINGS

    if not arguments.model:
        raise InputError("no model: set generate_definitions.model (and .endpoint for a service), or --model")
    limit = arguments.max_new_tokens
    model = (
        Endpoint(arguments.endpoint, arguments.model, os.environ.get(arguments.key_variable), limit)
        if arguments.endpoint
        else LocalModel(Path(arguments.model), limit)
    )
    write_definitions(arguments.definitions, generate_definitions(model, FINDINGS))


if __name__ == "__main__":
    command.run(main)
