"""What every command-line program of ``scripts/`` shares. Imports nothing heavy: ``--help`` answers at once."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from maskray.errors import InputError


def parser(description: str) -> argparse.ArgumentParser:
    """An argument parser whose help shows the script's docstring as it is written."""
    return argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )


def folder_or_none(text: str) -> Path | None:
    """A folder flag; empty where the config names none, so that the reader can say what belongs there."""
    return Path(text) if text else None


def run(main: Callable[[Sequence[str] | None], None]) -> None:
    """Run ``main`` as a program: errors the user can mend are one line and status 1, without a traceback.

    All programs but ``fetch_weights`` work without the network; the hub libraries are told so before they load.
    """
    if Path(sys.argv[0]).stem != "fetch_weights":
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    try:
        main(None)
    except InputError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped")
