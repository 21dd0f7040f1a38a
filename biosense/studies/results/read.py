"""Read what a study wrote, so that a table or a page can be made of it anywhere."""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from biosense.core.errors import BadInput
from biosense.studies.results.result import FORMAT, RESULT_FILE, StudyResult


def read_study(path: Path) -> StudyResult:
    """Read the result of a study again.

    Parameters
    ----------
    path
        A result.json, or the folder that a study wrote it into.

    Returns
    -------
    StudyResult
        Equal to the one that was written.

    Raises
    ------
    BadInput
        It is no result, or one of another version.
    """
    path = path / RESULT_FILE if path.is_dir() else path
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if said["format"] != FORMAT:
            raise BadInput(f"{path} has format {said['format']}, this version reads {FORMAT}")
        result: StudyResult = _decoded(StudyResult, said)
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{path} is not the result of a study: {error!r}") from error
    return result


def _decoded(kind: Any, value: Any) -> Any:
    """Return a JSON value as a dataclass, mapping, tuple or plain value."""
    origin, inside = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return kind(**{name: _decoded(hints[name], item) for name, item in value.items()})
    if origin in (Union, types.UnionType):
        (kind,) = (each for each in inside if each is not type(None))
        return None if value is None else _decoded(kind, value)
    if origin is tuple:
        kinds = inside[:1] * len(value) if inside[-1] is Ellipsis else inside
        return tuple(_decoded(each, item) for each, item in zip(kinds, value, strict=True))
    if origin is Mapping:
        return {name: _decoded(inside[1], item) for name, item in value.items()}
    return kind(value) if kind is float else value
