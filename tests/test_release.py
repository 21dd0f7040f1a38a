"""What a release says of itself agrees: version, changelog, citation, and what the wheel holds."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from biosense import __version__

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def notes(*arguments: str) -> str:
    command = [sys.executable, str(ROOT / ".github" / "release_notes.py"), *arguments]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode("utf-8").strip()


def test_the_changelog_has_a_dated_section_of_this_version() -> None:
    assert notes("--version") == __version__
    said = notes()
    assert said.startswith("### ")
    assert "\n## " not in said


def test_the_newest_section_is_of_this_version() -> None:
    sections = re.findall(
        r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )
    assert sections[0] == __version__
    assert len(set(sections)) == len(sections)


def test_the_citation_is_of_this_version_and_its_date() -> None:
    said = dict(re.findall(r"^([a-z-]+): (.+)$", (ROOT / "CITATION.cff").read_text("utf-8"), re.M))
    dated = f"## [{__version__}] - {said['date-released'].strip(chr(34))}\n"
    assert said["version"] == __version__
    assert dated in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_every_file_that_is_no_python_goes_into_the_wheel() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["biosense"]
    package = ROOT / "biosense"
    packed = {file for pattern in patterns for file in package.glob(pattern)}
    others = {
        file for file in package.rglob("*") if file.is_file() and file.suffix not in (".py", ".pyc")
    }
    assert others
    assert others == packed


def test_every_extra_has_tested_versions() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pinned = {plain(line.split("==")[0]) for line in lines if not line.startswith("#")}
    extras = PROJECT["project"]["optional-dependencies"].values()
    wanted = [*PROJECT["project"]["dependencies"], *(each for extra in extras for each in extra)]
    named = {plain(re.split(r"[\[<>=; ]", each)[0]) for each in wanted}
    assert named - pinned == {"biosense"}


def plain(name: str) -> str:
    return name.lower().replace("_", "-").strip()
