"""Clinical entities by scispaCy (Neumann et al., 2019, arXiv:1902.07669), as in MMCLIP, Sec. 3.3.

scispaCy needs an older numpy, so it runs as another process under its own environment's Python, and talks through
pipes: no report is written anywhere on the way.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from maskray.errors import InputError
from maskray.files import written_whole
from maskray.reports.entities import Span
from maskray.reports.styles import text_of

_WORKER = Path(__file__).with_name("scispacy_worker.py")
_ADVICE = "`make setup-scispacy` installs it; or use reports.entities: rules"
_BATCH = 256
_KEY = b"maskray"


class ScispacyProcess:
    """A running worker. ``about`` says what it loaded: model, version, spacy."""

    def __init__(self, process: subprocess.Popen[str], name: str) -> None:
        self._process = process
        self._name = name
        self.about: dict[str, str] = self._answer()

    def spans(self, texts: Sequence[str]) -> list[list[Span]]:
        """The characters ``[start, end)`` of each text's entities, in order."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(list(texts)) + "\n")
            self._process.stdin.flush()
        except OSError:
            pass  # It has ended; the answer below says so.
        return [[(start, end) for start, end in spans] for spans in self._answer()]

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"error": f"it ended with status {self._process.wait()}"}
        if isinstance(answer, dict) and "error" in answer:
            raise InputError(f"{self._name} cannot be used ({answer['error']}): {_ADVICE}")
        return answer


@contextmanager
def scispacy(python: Path, model: str) -> Iterator[ScispacyProcess]:
    """Start the worker, and end it.

    Args:
        python: the Python of the environment that holds scispaCy.
        model: name or folder of a spaCy pipeline with entities.

    Raises:
        InputError: the environment or the model is not there, or the worker failed.
    """
    command = [str(python), "-I", "-X", "utf8", str(_WORKER), model]
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
    except OSError as error:
        raise InputError(f"{python}: no Python of scispaCy's environment ({error.strerror}): {_ADVICE}") from None
    with process:
        try:
            yield ScispacyProcess(process, f"the spaCy model {model} under {python}")
        except BaseException:
            process.kill()
            raise
        finally:
            # What a dead worker did not take cannot be flushed.
            with suppress(OSError):
                process.stdin.close()  # type: ignore[union-attr]


def annotate_entities(part_path: Path, annotated_path: Path, python: Path, model: str) -> None:
    """Copy one part of a data set's reports with the column ``entities`` by scispaCy, and say so in its settings."""
    with scispacy(python, model) as worker, written_whole(annotated_path) as partial, _opened(part_path) as part:
        schema = part.schema_arrow
        about = json.loads(schema.metadata[_KEY])
        about["settings"] |= {"entities": "scispacy", "scispacy_model": worker.about}
        schema = schema.with_metadata({_KEY: json.dumps(about, sort_keys=True).encode()})
        with pq.ParquetWriter(partial, schema, compression="zstd") as writer:
            for batch in part.iter_batches(_BATCH):
                writer.write_batch(_annotated(batch, worker, schema))


def _annotated(batch: pa.RecordBatch, worker: ScispacyProcess, schema: pa.Schema) -> pa.RecordBatch:
    texts = [
        text_of(findings, impression)
        for findings, impression in zip(
            batch.column("findings").to_pylist(), batch.column("impression").to_pylist(), strict=True
        )
    ]
    entities = pa.array([json.dumps(spans) for spans in worker.spans(texts)], pa.string())
    columns = [entities if name == "entities" else batch.column(name) for name in schema.names]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _opened(path: Path) -> pq.ParquetFile:
    try:
        part = pq.ParquetFile(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, pa.ArrowInvalid):
        raise InputError(f"{path}: not a Parquet file; delete it and make this part again") from None
    if _KEY not in (part.schema_arrow.metadata or {}) or "entities" not in part.schema_arrow.names:
        raise InputError(f"{path}: not a part written by structure_reports with its entities; make this part again")
    return part
