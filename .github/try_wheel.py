"""Build sdist and wheel into dist/, look inside, and try the wheel where nothing else is.

`make wheel`. Twice: bare, where everything that needs more must say so in one line; and with all
extras, where the demo must run. Needs nothing but Python 3.11-3.13.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
MOST_BYTES = 10_000_000
WANTED = (
    *("biosense/py.typed", "biosense/recordings/report/page.html.j2"),
    *("biosense/studies/report/study.html.j2", "biosense/models/deployment/checkpoints/demo.json"),
    *(f"biosense/models/deployment/checkpoints/{name}.safetensors" for name in ("case", "demo")),
)
FOREIGN = ("tests/", "benchmarks/", "examples/", "docs/", ".png", ".xdf", ".npz")
TORCH = "torch==2.13.0"  # alone and first: later, the resolver could choose a build of its own


def main() -> None:
    """Run everything, and stop at the first thing that is wrong."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        wheel = build(place)
        look_inside(wheel)
        try_bare(wheel, place)
        try_full(wheel, place)
    print("the wheel is fine")


def build(place: Path) -> Path:
    """Build both, and have their descriptions checked."""
    shutil.rmtree(DIST, ignore_errors=True)
    tools = environment(place / "tools", "build", "twine")
    done(tools("python", "-m", "build", "--outdir", DIST, ROOT))
    done(tools("python", "-m", "twine", "check", "--strict", *DIST.iterdir()))
    (wheel,) = DIST.glob("*.whl")
    return wheel


def look_inside(wheel: Path) -> None:
    """Compare what the wheel holds with what it should."""
    names = zipfile.ZipFile(wheel).namelist()
    size = wheel.stat().st_size
    print(f"{wheel.name}: {size / 1e6:.1f} MB, {len(names)} files")
    check(size < MOST_BYTES, f"{size} bytes, wanted below {MOST_BYTES}")
    check(not (missing := set(WANTED) - set(names)), f"missing: {sorted(missing)}")
    strange = [name for name in names if any(part in name for part in FOREIGN)]
    check(not strange, f"has no place in a wheel: {strange}")


def try_bare(wheel: Path, place: Path) -> None:
    """Try what needs no extra, and that the demo says what it needs."""
    biosense = environment(place / "bare", wheel)
    done(biosense("python", "-c", "import biosense; print(biosense.__file__)"))
    done(biosense("biosense", "--help"))
    done(biosense("biosense", "datasets"))
    demo = biosense("biosense", "demo", "--headless", "--seconds", "1")
    said = demo.stderr.strip().splitlines()
    check(demo.returncode == 1 and len(said) == 1, f"wanted one line and 1, got {said}")
    check("pip install 'biosense[demo]'" in said[0], f"no word of what to install: {said[0]}")


def try_full(wheel: Path, place: Path) -> None:
    """Try the demo with everything installed, as a user who has no checkout installs it."""
    biosense = environment(place / "full", TORCH)
    done(biosense("python", "-m", "pip", "install", "-q", f"biosense[all] @ {wheel.as_uri()}"))
    done(biosense("python", "-m", "pip", "check"))
    demo = done(biosense("biosense", "demo", "--headless", "--seconds", "10", "--json"))
    summary = json.loads(demo.stdout.splitlines()[-1])
    print({key: summary[key] for key in ("seconds", "estimates", "estimate_hz")})
    check(summary["estimates"] > 20, f"10 s gave {summary['estimates']} estimates")


def environment(folder: Path, *packages: object):
    """Make an empty environment with these packages; return what runs its programs elsewhere."""
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()

    def program(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [str(programs / name), *map(str, arguments)]
        print("$", name, *arguments, flush=True)
        here = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        return subprocess.run(
            command, cwd=elsewhere, env=here, capture_output=True, text=True, check=False
        )

    done(program("python", "-m", "pip", "install", "-q", *packages))
    return program


def done(process: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    """Stop with what a program said, unless it ended well."""
    check(process.returncode == 0, f"{process.stdout}\n{process.stderr}")
    return process


def check(is_right: bool, otherwise: str) -> None:
    """Stop, unless something is right."""
    if not is_right:
        sys.exit(f"wrong: {otherwise}")


if __name__ == "__main__":
    main()
