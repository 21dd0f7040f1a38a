"""Do two commits give the same numbers? `python -m benchmarks.same_numbers OLD [NEW]`.

OLD and NEW are commits (NEW: the files as they are). Both are unpacked and asked by their own
command line, so nothing depends on where their modules lie. OLD makes a recording (its demo over
real LSL) and trains a checkpoint of every family on fabricated DEAP; then each side

- estimates the recording by `default`, `demo` and every checkpoint that OLD trained,
- exports the features of the recording, and
- computes the features of fabricated DEAP and CASE, and quick studies of them.

Every number is compared by its bits. Takes about ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
FAMILIES = (
    *("boosting", "committee", "cross_attention", "deep_cca", "early", "gated", "graph", "late"),
    *("low_rank_tensor", "mixture_of_experts", "product_of_experts"),
    *("recursive_joint_attention", "ridge"),
)
STUDIES = ("deap", "case")
_NOT_NUMBERS = ("seconds", "_s", "version", "commit", "when", "command", "fingerprint", "made")


def main(old: str, new: str | None, keep: Path | None, seconds: int) -> int:
    with tempfile.TemporaryDirectory(prefix="same-numbers-") as scratch:
        work = keep or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        sides = {"old": unpacked(old, work / "old"), "new": unpacked(new, work / "new")}
        recording = recorded(sides["old"], work, seconds)
        trained = [checkpoint(sides["old"], name, work) for name in FAMILIES]
        differ = 0
        for model in ("default", "demo", *map(str, trained)):
            differ += estimates_differ(sides, recording, model, work)
        differ += features_differ(sides, recording, work)
        for name in STUDIES:
            differ += study_differs(sides, name, work)
    print("all numbers are the same" if not differ else f"{differ} things DIFFER")
    return 1 if differ else 0


def unpacked(commit: str | None, folder: Path) -> Path:
    """Return a folder with the files of a commit; that of this checkout where none is named."""
    if commit is None:
        return ROOT
    if not folder.exists():
        done = subprocess.run(
            ["git", "archive", commit], cwd=ROOT, capture_output=True, check=True
        ).stdout
        with tarfile.open(fileobj=io.BytesIO(done)) as files:
            files.extractall(folder, filter="data")
    return folder


def biosense(side: Path, *arguments: object) -> str:
    """Run a command of one side and return what it wrote to standard output."""
    environment = {**os.environ, "PYTHONPATH": str(side), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "biosense", *map(str, arguments)]
    done = subprocess.run(
        command, cwd=side, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{side.name}: biosense {arguments[0]} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def recorded(side: Path, work: Path, seconds: int) -> Path:
    found = sorted((work / "recordings").glob("*/*.xdf"))
    if not found:
        folder = work / "recordings"
        biosense(side, "demo", "--headless", "--seconds", seconds, "--record", folder)
        found = sorted(folder.glob("*/*.xdf"))
    return found[0].parent


def checkpoint(side: Path, family: str, work: Path) -> Path:
    """Return a checkpoint of a family, trained on fabricated people by one side."""
    out = work / "checkpoints" / family
    if not out.with_suffix(".json").exists():
        out.parent.mkdir(exist_ok=True)
        quick = ("--fabricate", "--people", 6, "--epochs", 1, "--jobs", 1, "--no-cache")
        biosense(side, "train", "deap", "--model", family, *quick, "--out", out)
    return out


def estimates_differ(sides: dict[str, Path], recording: Path, model: str, work: Path) -> bool:
    name = Path(model).name
    text = {}
    for side, folder in sides.items():
        out = work / f"{side}-{name}.csv"
        biosense(folder, "estimate", recording, "--model", model, "--out", out)
        text[side] = out.read_bytes()
    rows = text["old"].count(b"\n") - 1
    return said(f"estimates of {name} ({rows})", text["old"] == text["new"] and rows > 0)


def features_differ(sides: dict[str, Path], recording: Path, work: Path) -> bool:
    tables: dict[str, dict[str, bytes]] = {}
    for side, folder in sides.items():
        out = work / f"{side}-csv"
        biosense(folder, "export", recording, "--csv", out)
        tables[side] = {path.name: path.read_bytes() for path in sorted(out.rglob("*.csv"))}
    return said(f"exported tables ({len(tables['old'])})", tables["old"] == tables["new"] != {})


def study_differs(sides: dict[str, Path], name: str, work: Path) -> bool:
    results, features = {}, {}
    for side, folder in sides.items():
        out, cache = work / f"{side}-{name}", work / f"{side}-{name}-cache"
        quick = ("--fabricate", "--quick", "--protocol", "subject", "--model", "ridge")
        biosense(folder, "study", name, *quick, "--out", out, "--cache", cache)
        results[side] = list(numbers(json.loads((out / "result.json").read_text())))
        features[side] = kept_features(cache)
    same = results["old"] == results["new"] and len(results["old"]) > 0
    differ = said(f"study of fabricated {name} ({len(results['old'])} numbers)", same)
    arrays = len(features["old"])
    same = features["old"] == features["new"] and arrays > 0
    return differ | said(f"features of fabricated {name} ({arrays} arrays)", same)


def numbers(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield every number of a result with its place; none of times, versions and commands."""
    if isinstance(value, dict):
        for key in sorted(value):
            if not any(key.endswith(word) for word in _NOT_NUMBERS):
                yield from numbers(value[key], f"{name}/{key}")
    elif isinstance(value, list):
        for k, each in enumerate(value):
            yield from numbers(each, f"{name}/{k}")
    elif isinstance(value, float | int) and not isinstance(value, bool):
        yield name, "nan" if math.isnan(value) else float(value).hex()


def kept_features(cache: Path) -> list[tuple[str, tuple[int, ...], bytes]]:
    """Return name, shape and bytes of every array that is kept, whatever its file is called."""
    found = []
    for path in cache.rglob("*.npz"):
        with np.load(path, allow_pickle=False) as arrays:
            found += [
                (name, arrays[name].shape, arrays[name].tobytes())
                for name in arrays.files
                if arrays[name].dtype.kind in "fiub"
            ]
    return sorted(found)


def said(what: str, same: bool) -> bool:
    print(f"{'same' if same else 'DIFFERS':8} {what}", flush=True)
    return not same


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("old")
    parser.add_argument("new", nargs="?")
    parser.add_argument("--seconds", type=int, default=40, help="length of the recording")
    parser.add_argument("--keep", type=Path, help="folder to work in, used again if it is there")
    given = parser.parse_args()
    raise SystemExit(main(given.old, given.new, given.keep, given.seconds))
