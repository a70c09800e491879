"""What every command-line program of ``scripts/`` shares. Imports nothing heavy: ``--help`` answers at once."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from maskray.errors import InputError
from maskray.storage import storage_problem

# Importing torch and transformers makes millions of objects that stay: at Python's own thresholds the collector walks
# through them so often that a program's start takes a sixth longer.
_COLLECTOR_THRESHOLDS = (100_000, 20, 10)
_SITE_FLAGS = {"folder": "site", "reports": "reports", "annotations": "annotations"}


def parser(description: str) -> argparse.ArgumentParser:
    """An argument parser whose help shows the script's docstring as it is written."""
    return argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )


def folder_or_none(text: str) -> Path | None:
    """A folder flag; empty where the config names none, so that the reader can say what belongs there."""
    return Path(text) if text else None


def add_site(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """The flags that say where a data set's raw files lie; :func:`site_of` reads them."""
    parser.add_argument(
        "--site-folder",
        type=folder_or_none,
        required=required,
        metavar="DIR",
        help="the data set as its owners distribute it",
    )
    parser.add_argument(
        "--reports-folder", type=Path, metavar="DIR", help="where the reports lie, if apart (MIMIC-CXR)"
    )
    parser.add_argument(
        "--annotations-folder",
        type=Path,
        metavar="DIR",
        help="what is added to another data set's films (Edema severity, MS-CXR)",
    )


def site_of(arguments: argparse.Namespace) -> dict[str, Path | None]:
    """The folders by name, as readers take them."""
    return {name: getattr(arguments, f"{key}_folder") for name, key in _SITE_FLAGS.items()}


def add_table(parser: argparse.ArgumentParser) -> None:
    """The flags that say what a table is made of; :func:`maskray.tables.sources.read_table` reads the files."""
    parser.add_argument(
        "--settings", required=True, metavar="FILE", help="the table and its data (YAML, or the settings as JSON)"
    )
    parser.add_argument("--table-metrics", required=True, metavar="FILE", help="Parquet of collect_metrics")
    parser.add_argument("--published", required=True, metavar="FILE", help="the paper's printed numbers (CSV)")


def run(main: Callable[[Sequence[str] | None], None]) -> None:
    """Run ``main`` as a program: errors the user can mend (a full disk, too) are one line and status 1, no traceback.

    All programs but ``fetch_weights`` work without the hub, whose libraries are told so before they load; only
    ``generate_definitions`` may use the network besides.
    """
    if Path(sys.argv[0]).stem != "fetch_weights":
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    gc.set_threshold(*_COLLECTOR_THRESHOLDS)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    try:
        main(None)
    except InputError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped")
    except Exception as error:
        problem = storage_problem(error)
        if problem is None:
            raise
        sys.exit(f"error: {problem}")
    finally:
        # Else the interpreter walks through all of it once more on its way out: a second or more.
        gc.freeze()
