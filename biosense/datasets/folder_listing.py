"""What readers of data sets share: strict listings, limits of size, ratings on one scale."""

from __future__ import annotations

import re
from pathlib import Path

from biosense.core.errors import BadInput, DatasetDamaged

_LEFTOVERS = {"thumbs.db", "desktop.ini"}  # file managers leave them; names with a dot, too


def listed(folder: Path, pattern: str, *, also: str = "") -> dict[str, Path]:
    r"""Return the entries of a folder whose whole name fits a pattern, by name and sorted.

    Parameters
    ----------
    folder
        A folder that does not exist has no entries.
    pattern
        Regular expression for the names wanted.
    also
        Regular expression for names that may lie there as well; they are left out.

    Returns
    -------
    dict of str to Path

    Raises
    ------
    DatasetDamaged
        For any other name: nobody knows whether it is data. Leftovers of file managers are passed
        over.

    Examples
    --------
    >>> listed(Path("no such folder"), r"s\d\d\.dat")
    {}
    """
    if not folder.is_dir():
        return {}
    paths = {path.name: path for path in folder.iterdir() if not _is_leftover(path.name)}
    wanted = {name: paths[name] for name in sorted(paths) if re.fullmatch(pattern, name)}
    unknown = [name for name in sorted(paths) if name not in wanted]
    if also:
        unknown = [name for name in unknown if not re.fullmatch(also, name)]
    if unknown:
        raise DatasetDamaged(
            f"{folder} holds {', '.join(map(repr, unknown[:5]))}, which is no part of the data "
            f"set (its names look like {pattern}): move it elsewhere"
        )
    return wanted


def _is_leftover(name: str) -> bool:
    return name.startswith(".") or name.lower() in _LEFTOVERS


def check_size(path: Path, most: int, least: int = 1) -> int:
    """Return the size of a file in bytes, before anything of it is read.

    Parameters
    ----------
    path
        The file.
    most, least
        Bytes.

    Returns
    -------
    int
        Bytes.

    Raises
    ------
    DatasetDamaged
        If there is no such file, or it is smaller or larger than it can be.
    """
    if not path.is_file():
        raise DatasetDamaged(f"{path} is not there, or is no file: restore it")
    size = path.stat().st_size
    if not least <= size <= most:
        raise DatasetDamaged(
            f"{path} has {size} bytes, between {least} and {most} are possible: "
            "it is truncated or something else, get it again"
        )
    return size


def on_unit_scale(rating: float, lowest: float, highest: float) -> float:
    """Map a rating from its own scale to [-1, 1].

    Parameters
    ----------
    rating
        On its own scale.
    lowest, highest
        Of that scale.

    Returns
    -------
    float
        In [-1, 1].

    Raises
    ------
    BadInput
        For a rating outside of its scale, or NaN.

    Examples
    --------
    >>> on_unit_scale(4.0, 1, 9), on_unit_scale(5.0, 1, 5)
    (-0.25, 1.0)
    """
    if not lowest <= rating <= highest:
        raise BadInput(f"a rating of {rating} is not on its scale of {lowest} to {highest}")
    return (rating - (lowest + highest) / 2) / ((highest - lowest) / 2)
