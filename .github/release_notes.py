"""Print the section of CHANGELOG.md for this version, or with --version the version itself."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def version() -> str:
    """Read the version without importing the package."""
    text = (ROOT / "biosense" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"', text, re.MULTILINE)
    if found is None:
        raise SystemExit("biosense/__init__.py has no line __version__ = ..")
    return found[1]


def notes(wanted: str) -> str:
    """Return what the changelog says of a version."""
    sections = re.split(r"^## \[", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.M)
    for section in sections[1:]:
        name, _, rest = section.partition("]")
        dated = re.match(r" - \d{4}-\d{2}-\d{2}\n", rest)
        if name == wanted and dated:
            return rest[dated.end() :].strip()
    raise SystemExit(f"CHANGELOG.md has no section '## [{wanted}] - year-month-day'")


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    print(version() if "--version" in sys.argv[1:] else notes(version()))
