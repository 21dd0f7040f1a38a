"""The one palette: complete, readable, and the only place that knows colours."""

import re
from pathlib import Path

import pytest

import biosense
from biosense.core.stream_status import StreamState
from biosense.core.types import Modality
from biosense.viz.palette import DARK, FABRICATED, LEVELS, LIGHT, STATES, WINDOW

PACKAGE = Path(biosense.__file__).parent
COLOUR = re.compile(r"#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3}\b(?=[;\"' ])")
READ_BY_THE_PAGE = ("text", "quiet", "accent", "valence", "arousal", "error", *Modality)


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.1)."""
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_a_page_finds_the_same_names_by_day_and_by_night() -> None:
    assert list(LIGHT) == list(DARK)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_what_is_read_stands_out_from_its_ground(palette: dict[str, str]) -> None:
    faint = {n: contrast(palette[n], palette["panel"]) for n in READ_BY_THE_PAGE}
    assert min(faint.values()) >= 3.0, faint  # WCAG 2.1: large text and graphics


def test_every_modality_state_and_level_has_a_colour() -> None:
    assert set(Modality) <= set(LIGHT)
    assert set(STATES) == set(StreamState)
    assert {name for name, _ in STATES.values()} | set(LEVELS.values()) <= set(LIGHT)
    assert len({sign for _, sign in STATES.values()}) == len(STATES), "never the colour alone"


def test_white_words_can_be_read_on_grounds_of_warning() -> None:
    grounds = [WINDOW[name] for name in WINDOW if name.endswith("_ground")]
    assert min(contrast(WINDOW["white"], ground) for ground in (*grounds, *FABRICATED)) >= 4.5


def test_no_other_file_knows_a_colour() -> None:
    files = [file for kind in ("*.py", "*.j2") for file in PACKAGE.rglob(kind)]
    knowing = [
        file.relative_to(PACKAGE).as_posix()
        for file in files
        if COLOUR.search(re.sub(r"#0100[0-9a-f{]{2}", "", file.read_text(encoding="utf-8")))
    ]
    assert knowing == ["viz/palette.py"]
