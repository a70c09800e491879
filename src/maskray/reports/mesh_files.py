"""NLM's own files of Medical Subject Headings, as they come from https://www.nlm.nih.gov/databases/download/mesh.html.

``desc<year>.xml`` (also ``.gz``) and ``d<year>.bin`` hold descriptors with entry terms and tree numbers;
``mtrees<year>.bin`` holds names and tree numbers alone.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from maskray.errors import InputError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Descriptor:
    """One descriptor: its name and entry terms, the name first, and its tree numbers ("C08.381.677")."""

    terms: tuple[str, ...]
    trees: tuple[str, ...]


def read_mesh(path: Path) -> Iterator[Descriptor]:
    """The descriptors of a file, read as a stream; :class:`InputError` where it is missing, damaged or another one."""
    try:
        with path.open("rb") as raw:
            is_packed = raw.read(2) == _GZIP
        with gzip.open(path) if is_packed else path.open("rb") as opened:
            handle = cast(IO[bytes], opened)
            yield from _reader(handle, path)(handle)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; get MeSH from NLM, or set reports.mesh.source: thoracic") from None
    except (OSError, EOFError, zlib.error, ParseError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: damaged ({type(error).__name__}); get it from NLM again") from None
    except DefusedXmlException:
        raise InputError(f"{path}: declares XML entities, which NLM's files never do; get it from NLM again") from None


def _reader(handle: IO[bytes], path: Path) -> Callable[[IO[bytes]], Iterator[Descriptor]]:
    """The reader for what the file begins with."""
    start = handle.read(256).lstrip(b"\xef\xbb\xbf \t\r\n")
    handle.seek(0)
    if start.startswith(b"<"):
        return _read_xml
    if start.startswith(b"*NEWRECORD"):
        return _read_ascii
    name, _, number = start.partition(b"\n")[0].rstrip().rpartition(b";")
    if name and number[:1].isalpha() and number[1:3].isdigit():
        return _read_trees
    raise InputError(f"{path}: neither desc<year>.xml, d<year>.bin nor mtrees<year>.bin of NLM")


def _read_xml(handle: IO[bytes]) -> Iterator[Descriptor]:
    root: Element | None = None
    for event, element in iterparse(handle, events=("start", "end")):
        if root is None:
            root = element
        elif event == "end" and element.tag == "DescriptorRecord":
            terms = [element.findtext("DescriptorName/String", ""), *_texts(element, "ConceptList//Term/String")]
            yield Descriptor(tuple(dict.fromkeys(terms)), tuple(_texts(element, "TreeNumberList/TreeNumber")))
            root.clear()


def _texts(element: Element, path: str) -> list[str]:
    return [found.text for found in element.iterfind(path) if found.text]


def _read_ascii(handle: IO[bytes]) -> Iterator[Descriptor]:
    terms: list[str] = []
    trees: list[str] = []
    for line in handle:
        key, _, value = line.decode("utf-8").strip().partition(" = ")
        if key == "*NEWRECORD":
            if terms:
                yield Descriptor(tuple(terms), tuple(trees))
            terms, trees = [], []
        elif key == "MH":
            terms.insert(0, value)
        elif key in {"ENTRY", "PRINT ENTRY"}:
            # The term stands before the first bar; semantic types and dates follow.
            terms.append(value.split("|")[0])
        elif key == "MN":
            trees.append(value)
    if terms:
        yield Descriptor(tuple(terms), tuple(trees))


def _read_trees(handle: IO[bytes]) -> Iterator[Descriptor]:
    for line in handle:
        name, _, number = line.decode("utf-8").strip().rpartition(";")
        if name:
            yield Descriptor((name,), (number,))
