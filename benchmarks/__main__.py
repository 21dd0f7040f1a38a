"""Run the benchmarks one after the other, and write the table that docs/benchmarks.md shows.

Usage: python -m benchmarks [--quick] [--only ROOM/NAME ..] [--data DIR] [--out DIR]

Wants a quiet machine: figures that depend on its load are taken over only where others used hardly
any of it meanwhile. With --quick each script runs in its smallest form, which shows that it works;
the table stays as it is. What every script printed, and all figures as JSON, are in --out.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.catalogue import BENCHMARKS, CHECKOUT, FOLDER, Benchmark, index
from benchmarks.run import BUSY_CORES, Outcome, others_now, run
from benchmarks.table import number, write

DATA = CHECKOUT.parent / "shared" / "data"  # where the tests look, too
OUT = CHECKOUT / "benchmark-results"


def chosen(only: Sequence[str]) -> list[Benchmark]:
    """Return the benchmarks whose room, or room and name, was asked for; all where none was."""
    unknown = [
        word for word in only if not any(word in (each.name, each.room) for each in BENCHMARKS)
    ]
    if unknown:
        names = ", ".join(each.name for each in BENCHMARKS)
        raise SystemExit(f"no benchmark is called {unknown[0]!r}; there are {names}")
    return [each for each in BENCHMARKS if not only or each.name in only or each.room in only]


def tell(outcome: Outcome) -> None:
    """Print what a benchmark found, and the end of its output where it failed."""
    words = {0: "", None: ", TOOK TOO LONG"}.get(outcome.exit_code, f", EXIT {outcome.exit_code}")
    load = "" if outcome.was_quiet else f", others used {outcome.others:.1f} cores meanwhile"
    print(f"  {outcome.seconds:.0f} s{load}{words}")
    for figure in outcome.figures:
        beside = "" if figure.other is None else f" ({figure.alternative}: {number(figure.other)})"
        print(f"  {figure.name}: {number(figure.ours)} {figure.unit}{beside}")
    sys.stdout.flush()


def run_all(
    benchmarks: Sequence[Benchmark], data: Path, out: Path, *, quick: bool
) -> list[Outcome]:
    """Run benchmarks one after the other."""
    outcomes = []
    for each in benchmarks:
        print(f"{each.name}: {each.shows}", flush=True)
        if missing := each.missing(data, quick=quick):
            print(f"  left out: there is no {missing[0]} (--data names the folder)")
            continue
        outcomes.append(run(each, data, out, quick=quick))
        tell(outcomes[-1])
        lines = [json.dumps(asdict(outcome)) for outcome in outcomes]
        (out / "figures.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return outcomes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="each in its smallest form, no table")
    parser.add_argument("--only", nargs="+", default=[], metavar="ROOM/NAME", help="or ROOM")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the test recordings")
    parser.add_argument("--out", type=Path, default=OUT, help="where output goes")
    parser.add_argument("--index", action="store_true", help="write the tables of README.md, only")
    asked = parser.parse_args()
    if asked.index:
        (FOLDER / "README.md").write_text(readme(), encoding="utf-8")
        return 0
    asked.out.mkdir(parents=True, exist_ok=True)
    if (others := others_now()) > BUSY_CORES:
        print(f"others use {others:.1f} cores of this machine: times will mean little", flush=True)
    benchmarks = chosen(asked.only)
    outcomes = run_all(benchmarks, asked.data.resolve(), asked.out, quick=asked.quick)
    if not asked.quick:
        write(outcomes)
    bad = [outcome.benchmark for outcome in outcomes if not outcome.is_good]
    print(f"{len(outcomes)} of {len(benchmarks)} ran; outputs are in {asked.out}")
    print(f"not as they must be: {', '.join(bad)}" if bad else "all as they must be")
    return 1 if bad else 0


def readme() -> str:
    """Return the README with its tables written anew."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    return text.split("## Index\n")[0] + "## Index\n\n" + index()


if __name__ == "__main__":
    raise SystemExit(main())
