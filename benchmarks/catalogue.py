"""Which benchmarks there are, with which arguments they run, what they need and how long they take.

`README.md` shows this as tables; what each script shows is the first line of its docstring.
"""

from __future__ import annotations

import ast
import shlex
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
CHECKOUT = FOLDER.parent
ROOMS = {
    "system": "Everything together",
    "acquisition": "Devices, streams and their clocks",
    "recording": "What is on the disk",
    "cardiac": "Heart and breathing",
    "eda": "Skin conductance",
    "eeg": "EEG",
    "rppg": "Pulse from the face",
    "face": "Features of the face",
    "models": "Models",
}
FACE, OTHER_FACE = "{data}/face/single_face.mp4", "{data}/face/WolfgangLanger_Pexels.mp4"
LINUX = "Linux, dbus-daemon"
RULE = "|---|---|---|---|"


@dataclass(frozen=True)
class Benchmark:
    """Describe a script of a room.

    Parameters
    ----------
    name
        Room and script, `cardiac/rpeaks`.
    minutes
        What it takes on two quiet cores.
    full, quick
        Its arguments when all is measured, and in the smallest form that still tells its figures;
        `{data}` is the folder of the test recordings.
    needs
        What it needs beside `biosense[dev]` and the recordings that its arguments name.
    """

    name: str
    minutes: float
    full: str = ""
    quick: str = ""
    needs: str = ""

    @property
    def room(self) -> str:
        return self.name.split("/")[0]

    @property
    def module(self) -> str:
        return f"benchmarks.{self.name.replace('/', '.')}"

    @property
    def shows(self) -> str:
        """What it shows: the first line of its docstring."""
        source = (FOLDER / f"{self.name}.py").read_text(encoding="utf-8")
        return (ast.get_docstring(ast.parse(source)) or "").split("\n", 1)[0]

    def arguments(self, data: Path, *, quick: bool) -> list[str]:
        """Return its arguments."""
        words = shlex.split(self.quick if quick else self.full)
        return [word.replace("{data}", str(data)) for word in words]

    def missing(self, data: Path, *, quick: bool) -> list[Path]:
        """Return the recordings that its arguments name and that are not there."""
        words = self.arguments(data, quick=quick)
        named = [Path(word) for word in words if Path(word).is_relative_to(data)]
        return [path for path in named if not path.exists()]


BENCHMARKS = (
    Benchmark("system/live", 9, f"--video {FACE}", "--seconds 8 --minutes 0"),
    Benchmark(
        "system/real_input",
        5,
        f"{{data}} --video {FACE}",
        f"{{data}} --video {FACE} --seconds 35",
    ),
    Benchmark("system/deap_cost", 5, "--repeats 6", "--repeats 1 --trials 2"),
    Benchmark(
        "system/study_scaling",
        3,
        "--jobs 1 2 --dask --epochs 2",
        "--jobs 1 --people 4 --epochs 1",
    ),
    Benchmark("system/gui", 1.5, "", "--seconds 3"),
    Benchmark("system/startup", 1.5, "", "--repeats 1"),
    Benchmark("acquisition/clocks", 4, "", "--seeds 1"),
    Benchmark("acquisition/sync", 0.5, "", "--minutes 12"),
    Benchmark("acquisition/fuzz_decoders", 3, "", "--packets 2000"),
    Benchmark("acquisition/ingest", 5, "", "--seconds 3 --case many"),
    Benchmark("acquisition/ble_soak", 7, "", "--faults 5 --hours 0.03", LINUX),
    Benchmark("acquisition/ble_latency", 3, "--limit-ms 10", "--seconds 1 --limit-ms 100", LINUX),
    Benchmark("acquisition/camera", 0.5, FACE, f"{FACE} --seconds 3"),
    Benchmark("recording/kill9", 10, "--times 200 --heavy 20", "--times 2 --heavy 0"),
    Benchmark("recording/kill9_live", 40, f"--video {FACE}", "--kills 1", LINUX),
    Benchmark("recording/disk_full", 0.5, "", "--levels 0.4", "may mount a disk, or limits files"),
    Benchmark("recording/export", 3, "--minutes 10", "--minutes 0.2"),
    Benchmark("recording/report", 2, "", "--minutes 0.3"),
    Benchmark(
        "cardiac/rpeaks",
        15,
        "{data}/ecg",
        "{data}/ecg --only pantompkins --snrs 6 --seeds 1",
        "sleepecg, where it is to be asked",
    ),
    Benchmark(
        "cardiac/heart_wearable", 3, "{data}/wearable", "{data}/wearable --people 1 --clips 3"
    ),
    Benchmark("cardiac/respiration", 0.5, "{data}", "{data} --seeds 1"),
    Benchmark("eda/responses", 12, "{data}", "--seeds 1 --rates 8"),
    Benchmark(
        "eda/tonic", 8, "{data} --clips", "{data} --only resting", "cvxopt, where cvxEDA is asked"
    ),
    Benchmark("eeg/band_powers", 0.5, "{data}", "{data} --seconds 10"),
    Benchmark(
        "eeg/cleaning_online",
        1.5,
        "",
        "--runs 1 --only biosense",
        "meegkit, where it is to be asked",
    ),
    Benchmark("eeg/cleaning_offline", 3, "", "--seeds 1 --seconds 60"),
    Benchmark("rppg/rates", 40, "--all --seeds 20", "--seeds 1 --only 'photo, moved'"),
    Benchmark("rppg/calibrate", 20, "", "--seeds 1 --only 'pulse 0.1'"),
    Benchmark("rppg/codecs", 15, "--seeds 20", "--seeds 1 --only MJPEG", "av, for H.264"),
    Benchmark("rppg/real_clip", 3, FACE, f"{FACE} --seconds 20 --pulses 0.02"),
    Benchmark("face/features", 3, f"{FACE} {OTHER_FACE}", f"{FACE} {OTHER_FACE} --warps"),
    Benchmark("models/simulated", 6, "--people 8 --minutes 4", "--people 1 --minutes 1.5"),
    Benchmark(
        "models/case_personal",
        15,
        "{data}/case",
        "{data}/case --families ridge --seeds 1 --people 5",
    ),
    Benchmark("models/fusion_step", 20, "", "--hours 0.15 --only ridge late"),
    Benchmark(
        "models/fusion_tricks",
        25,
        "--case {data}/case/case_dev.npz",
        "--epochs 1 --people 8 --folds 1",
    ),
    Benchmark("models/small_models", 5, "", "--families gated --steps-of gated --seeds 1"),
    Benchmark("models/dcca_toy", 2, "", "--seeds 1"),
)


def scripts() -> list[str]:
    """Return room and name of every script that lies in a room."""
    return sorted(
        path.relative_to(FOLDER).with_suffix("").as_posix()
        for room in ROOMS
        for path in (FOLDER / room).glob("*.py")
    )


def index() -> str:
    """Return the tables of the README."""
    parts = []
    for room, title in ROOMS.items():
        parts += [f"\n### {title}: `{room}`\n"]
        parts += [
            "| `python -m benchmarks.` | what it shows | needs | minutes |",
            "|---|---|---|---|",
        ]
        parts += [_row(each) for each in BENCHMARKS if each.room == room]
    return "\n".join(parts).strip() + "\n"


def _row(benchmark: Benchmark) -> str:
    arguments = benchmark.full.replace("{data}", "DATA")
    command = f"{benchmark.name.replace('/', '.')} {arguments}".strip()
    recordings = "recordings" if "DATA" in arguments else ""
    needs = "; ".join(part for part in (recordings, benchmark.needs) if part)
    return f"| `{command}` | {benchmark.shows} | {needs} | {benchmark.minutes:g} |"
