"""A data set's reports as a table: sections, sentences, triplets, manuscripts. In parts, and the parts joined.

A part is written while it is read: memory does not grow with the number of reports.
"""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from maskray.config.preprocessing import ReportsConfig
from maskray.errors import InputError
from maskray.files import written_whole
from maskray.reports.entities import entity_spans
from maskray.reports.manuscripts import check_policy, write_manuscript
from maskray.reports.origins import Origins
from maskray.reports.sections import Section, described, find_sections
from maskray.reports.sentences import split_sentences
from maskray.reports.styles import EXTRA_COLUMNS, extra_columns, text_of
from maskray.reports.triplets import Triplet, TripletSource, Unread, read_triplets, source_of

SCHEMA = pa.schema(
    [
        ("study_id", pa.string()),
        ("findings", pa.string()),
        ("impression", pa.string()),
        ("sentences", pa.list_(pa.string())),
        ("triplets", pa.string()),
        ("manuscript", pa.string()),
        ("answers", pa.string()),
        ("evidence", pa.string()),
        ("grounds", pa.string()),
        ("entities", pa.string()),
        *((name, pa.string()) for name in EXTRA_COLUMNS),
    ]
)
_log = logging.getLogger(__name__)
_KEY = b"maskray"
_BATCH = 256

Report = tuple[str, str]
Row = dict[str, Any]


def structure_reports(
    read: Callable[[], Iterable[Report]],
    config: ReportsConfig,
    dataset: str,
    part: int,
    num_parts: int,
    reports_path: Path,
    failed_path: Path,
) -> None:
    """Write one part of a data set's reports, and the list of those that failed.

    Args:
        read: gives (study id, text) anew at each call; it is read twice, first for the ids alone.
        config: where triplets come from, and how uncertainty is answered.
        dataset: its name, stored in the file.
        part: from 0; parts are contiguous slices of the sorted study ids.
        num_parts: number of parts.
        reports_path: Parquet, one row per report in the order of the reader.
        failed_path: CSV of study_id and reason; never a report's text.
    """
    if not 0 <= part < num_parts:
        raise InputError(f"--part {part} is not one of 0 to {num_parts - 1}")
    check_policy(config)
    ids = sorted({study for study, _ in read()})
    wanted = set(ids[part * len(ids) // num_parts : (part + 1) * len(ids) // num_parts])
    source = source_of(config)
    about = {
        "dataset": dataset,
        "part": part,
        "num_parts": num_parts,
        "num_studies": len(wanted),
        "settings": config.model_dump(mode="json"),
    }
    schema = SCHEMA.with_metadata({_KEY: json.dumps(about, sort_keys=True).encode()})
    with (
        written_whole(reports_path) as rows_file,
        written_whole(failed_path) as failed_file,
        pq.ParquetWriter(rows_file, schema, compression="zstd") as rows_writer,
        failed_file.open("w", newline="", encoding="utf-8") as handle,
    ):
        failed = csv.writer(handle, lineterminator="\n")
        failed.writerow(("study_id", "reason"))
        for batch in _batches(_firsts(read(), wanted, failed)):
            rows = list(_rows(batch, source, config, failed))
            rows_writer.write_table(pa.Table.from_pylist(rows, schema=schema))


def _firsts(reports: Iterable[Report], wanted: set[str], failed: Any) -> Iterator[Report]:
    """The wanted reports; a second one of the same study is failed."""
    seen: set[str] = set()
    for study, text in reports:
        if study not in wanted:
            continue
        if study in seen:
            failed.writerow((study, "a second report of this study"))
            continue
        seen.add(study)
        yield study, text


def _batches(reports: Iterator[Report]) -> Iterator[list[Report]]:
    while batch := list(islice(reports, _BATCH)):
        yield batch


def _rows(batch: Sequence[Report], source: TripletSource, config: ReportsConfig, failed: Any) -> Iterator[Row]:
    """A row for each report, or a line in ``failed``."""
    parts = [described(find_sections(text)) if _is_text(text) else {} for _, text in batch]
    texts = [text_of_parts(part) for part in parts]
    found = read_triplets(source, texts, [study for study, _ in batch])
    for (study, raw), part, text, triplets in zip(batch, parts, texts, found, strict=True):
        if not _is_text(raw):
            failed.writerow((study, "not text"))
        elif not text:
            failed.writerow((study, "no findings or impression" if raw.strip() else "empty"))
        elif isinstance(triplets, Unread):
            failed.writerow((study, f"{config.triplets} {triplets.reason}"))
        else:
            yield row_of(study, raw, part, triplets, config)


def _is_text(raw: Any) -> bool:
    """True for what a Parquet file can hold as text: a string, without halves of characters."""
    return isinstance(raw, str) and not any("\ud800" <= character <= "\udfff" for character in raw)


def text_of_parts(part: Mapping[str, Section]) -> str:
    """:func:`text_of` the findings and the impression that there are."""
    read = _texts(part)
    return text_of(read.get("findings"), read.get("impression"))


def _texts(part: Mapping[str, Section]) -> dict[str, str]:
    return {name: section.text for name, section in part.items()}


def row_of(
    study: str, raw: str, part: Mapping[str, Section], triplets: Sequence[Triplet], config: ReportsConfig
) -> Row:
    """What the table holds of one report; ``part`` has its findings and impression.

    Spans count in :func:`text_of_parts`, those of the evidence in the report itself.
    """
    text, read = text_of_parts(part), _texts(part)
    origins = Origins(raw, text, part.values())
    manuscript = write_manuscript(triplets, config)
    return {
        "study_id": study,
        "findings": read.get("findings", ""),
        "impression": read.get("impression", ""),
        "sentences": split_sentences(text),
        "triplets": json.dumps([triplet._asdict() for triplet in triplets]),
        "manuscript": manuscript.text,
        "answers": json.dumps(manuscript.answers),
        "evidence": json.dumps([[origins.located(each) for each in statements] for statements in manuscript.evidence]),
        "grounds": json.dumps(manuscript.grounds),
        "entities": json.dumps(entity_spans(text)),
    } | extra_columns(text, triplets, config)


def collect_reports(
    part_paths: Sequence[Path], failed_paths: Sequence[Path], reports_path: Path, all_failed_path: Path
) -> None:
    """Join the parts of one data set, in their order.

    :class:`InputError` where a part is missing, given twice or of other settings, and where a study is lost or doubled.
    """
    if len(part_paths) != len(failed_paths):
        raise InputError(
            f"{len(part_paths)} --parts but {len(failed_paths)} --failed: give one each, in the same order"
        )
    parts = sorted((_about(path)["part"], path, failed) for path, failed in zip(part_paths, failed_paths, strict=True))
    about = _about(parts[0][1])
    _check_complete([path for _, path, _ in parts], about)
    about = {name: about[name] for name in ("dataset", "settings")}
    schema = SCHEMA.with_metadata({_KEY: json.dumps(about, sort_keys=True).encode()})
    owner: dict[str, Path] = {}
    num_failed = 0
    with (
        written_whole(reports_path) as rows_file,
        written_whole(all_failed_path) as failed_file,
        pq.ParquetWriter(rows_file, schema, compression="zstd") as writer,
        failed_file.open("w", newline="", encoding="utf-8") as handle,
    ):
        out = csv.writer(handle, lineterminator="\n")
        out.writerow(("study_id", "reason"))
        for _, path, failed_path in parts:
            failures = _failures(failed_path)
            num_failed += len(failures)
            out.writerows(failures)
            _copy(path, {study for study, _ in failures}, owner, writer)
    _log.info("%d reports, %d failed", len(owner), num_failed)


def _copy(path: Path, failed: set[str], owner: dict[str, Path], writer: pq.ParquetWriter) -> None:
    """Append one part; every study of it must be there, once."""
    studies: set[str] = set()
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_BATCH):
            for study in batch.column("study_id").to_pylist():
                if study in owner:
                    raise InputError(f"{path}: study {study} stands also in {owner[study]}; make the parts again")
                owner[study] = path
                studies.add(study)
            writer.write_batch(batch.replace_schema_metadata(writer.schema.metadata))
    num_found, num_expected = len(studies | failed), _about(path)["num_studies"]
    if num_found != num_expected:
        raise InputError(f"{path}: {num_found} of {num_expected} studies are accounted for; make this part again")


def _about(path: Path) -> dict[str, Any]:
    """What a part says of itself."""
    try:
        metadata = pq.read_schema(path).metadata or {}
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, pa.ArrowInvalid):
        raise InputError(f"{path}: not a Parquet file; delete it and make this part again") from None
    if _KEY not in metadata:
        raise InputError(f"{path}: not a part written by structure_reports")
    return json.loads(metadata[_KEY])


def _check_complete(paths: Sequence[Path], first: Mapping[str, Any]) -> None:
    abouts = [_about(path) for path in paths]
    for path, about in zip(paths, abouts, strict=True):
        for name in ("dataset", "settings", "num_parts"):
            if about[name] != first[name]:
                raise InputError(f"{path}: its {name} differs from that of {paths[0]}; make all parts again")
    numbers = [about["part"] for about in abouts]
    missing = sorted(set(range(first["num_parts"])) - set(numbers))
    if missing or len(numbers) != first["num_parts"]:
        raise InputError(
            f"{first['dataset']}: {len(numbers)} parts given, {first['num_parts']} needed; missing: "
            f"{', '.join(map(str, missing)) or 'none (some are given twice)'}"
        )


def _failures(path: Path) -> list[tuple[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as handle:
            return [(row["study_id"], row["reason"]) for row in csv.DictReader(handle)]
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except KeyError:
        raise InputError(f"{path}: columns study_id and reason are needed") from None
