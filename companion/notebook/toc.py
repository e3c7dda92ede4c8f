"""The table of contents of a book, ``_toc.yml``: its documents, and the chapters that are not among them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def documents(contents: Any) -> Iterator[str]:
    """Every document of a table of contents, in reading order, without its suffix."""
    if isinstance(contents, list):
        for part in contents:
            yield from documents(part)
    elif isinstance(contents, Mapping):
        for key in ("root", "file"):
            if key in contents:
                yield contents[key]
        for key in ("parts", "chapters", "sections"):
            yield from documents(contents.get(key, []))


def missing(contents: Any, chapters: Iterable[str]) -> list[str]:
    """What to add to the table of contents, in words, for each chapter that is not in it."""
    listed = list(documents(contents))
    return [_advice(name, listed) for name in chapters if name not in listed]


def _advice(name: str, listed: list[str]) -> str:
    folder = name.rpartition("/")[0]
    beside = [other for other in listed if other.rpartition("/")[0] == folder and folder]
    where = f"after '- file: {beside[-1]}'" if beside else "to the chapters of its part"
    return f"{name} is not in _toc.yml, and so on no page of the book: add {where} the line\n      - file: {name}"
