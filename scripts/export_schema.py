"""Write the JSON schemas of workflow/schemas/ from the typed settings, or check that they still agree.

The Snakefile validates against these files alone, so that planning needs neither torch nor pydantic.
"""

from __future__ import annotations

from collections.abc import Sequence

from maskray import command


def main(argv: Sequence[str] | None = None) -> None:
    parser = command.parser(__doc__)
    parser.add_argument("--folder", default="workflow/schemas", help="where the schemas stand")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a schema has drifted")
    arguments = parser.parse_args(argv)

    import json
    from pathlib import Path

    from maskray.config.dataset import DatasetConfig
    from maskray.config.paper import PaperConfig
    from maskray.config.workflow import WorkflowConfig
    from maskray.errors import InputError
    from maskray.files import write_text
    from maskray.methods import METHODS

    models = {"workflow": WorkflowConfig, "dataset": DatasetConfig, "paper": PaperConfig}
    models |= {f"method-{name}": method.Config for name, method in METHODS.items()}
    for name, model in models.items():
        path = Path(arguments.folder) / f"{name}.schema.json"
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | model.model_json_schema()
        text = json.dumps(schema, indent=1, sort_keys=True) + "\n"
        if not arguments.check:
            write_text(path, text)
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            raise InputError(f"{path}: differs from {model.__module__}.{model.__name__}; run make schema and commit")


if __name__ == "__main__":
    command.run(main)
