"""Certificates as small JSON files: every number an exact string m·2^e, so that no digit is lost and any reader can check them."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

from geoflow.certified.certificate import Certificate
from geoflow.certified.dyadic import read, written
from geoflow.checks import instance

#: The first entry of every file.
FORMAT = "geoflow certificate 1"

#: Fields that are numbers, written exactly; None stays.
EXACT = ("radius", "contraction", "seconds")


def save(certificate: Certificate, path: str | Path) -> None:
    """Writes one certificate. Raises TypeError for anything else, ValueError for a number that is NaN or infinite."""
    instance("certificate", certificate, Certificate, "The order is save(certificate, path).")
    content: dict[str, Any] = {"format": FORMAT} | {
        field.name: getattr(certificate, field.name) for field in fields(Certificate)
    }
    for name in EXACT:
        content[name] = None if content[name] is None else written(content[name])
    lines = [f"{json.dumps(name)}: {_compact(value)}" for name, value in content.items()]
    Path(path).write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf8")


def load(path: str | Path) -> Certificate:
    """The certificate behind a file that `save` wrote. Raises ValueError for any other file. Says nothing about whether it is true."""
    try:
        content: Any = json.loads(Path(path).read_text(encoding="utf8"))
    except ValueError as error:
        raise ValueError(f"{path} is no JSON file: {error}") from error
    names = {field.name for field in fields(Certificate)}
    if (
        not isinstance(content, dict)
        or content.get("format") != FORMAT
        or content.keys() != names | {"format"}
    ):
        raise ValueError(
            f"{path} is no certificate: expected the format {FORMAT!r} and the fields {', '.join(sorted(names))}."
        )
    values = {
        name: value for name, value in cast(dict[str, Any], content).items() if name != "format"
    }
    for name, kind in (
        ("kind", str),
        ("proved", bool),
        ("statement", str),
        ("precision", int),
        ("reason", str),
        ("claim", dict),
    ):
        if not isinstance(values[name], kind):
            raise ValueError(f"{path}: {name} must be a {kind.__name__}, got {values[name]!r:.80}.")
    try:
        for name in EXACT:
            values[name] = None if values[name] is None else float(read(values[name]))
        values["enclosures"] = {
            name: (str(low), str(high)) for name, (low, high) in values["enclosures"].items()
        }
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: a number is not exact: {error}") from error
    return Certificate(**values)


def _compact(value: object) -> str:
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_refuse
    )


def _refuse(value: object) -> None:
    raise TypeError(
        f"a claim consists of texts, whole numbers and lists of them, got {type(value).__name__} {value!r:.80}."
    )
