"""Make the environment and use it: `python bootstrap.py COMMAND [arguments]`.

  demo    everything on a simulated participant
  test    what continuous integration checks; with arguments, pytest alone with them
  docs    the documentation, in docs/_build/html
  run     Python of the environment as it is, as in `run -m mypy`
  system  only the system libraries that are missing (as root on Debian, installs them)

Needs nothing but Python 3.11-3.13. The environment lives in .venv and is made anew only when
pyproject.toml, constraints.txt or this file change. Arguments after the command are passed on.
"""

from __future__ import annotations

import ctypes.util
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
STAMP = ENVIRONMENT / "biosense-stamp"
INPUTS = ("pyproject.toml", "constraints.txt", "bootstrap.py")
MOST_WORKERS = 4  # of the tests: each comes to hold nearly a gigabyte

# Libraries that Qt loads at run time, and the Debian packages that hold them.
QT_LIBRARIES = {
    "EGL": "libegl1",
    "GL": "libgl1",
    "xkbcommon": "libxkbcommon0",
    "dbus-1": "libdbus-1-3",
    "fontconfig": "libfontconfig1",
    "glib-2.0": "libglib2.0-0",
    "xcb-cursor": "libxcb-cursor0",
    "xcb-icccm": "libxcb-icccm4",
    "xcb-keysyms": "libxcb-keysyms1",
    "xcb-image": "libxcb-image0",
    "xcb-render-util": "libxcb-render-util0",
    "xkbcommon-x11": "libxkbcommon-x11-0",
}
FONTS = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")


def main(arguments: list[str]) -> int:
    """Run the command named first in `arguments`."""
    if not arguments or arguments[0] not in (*COMMANDS, "system"):
        print(__doc__)
        return 2
    if arguments[0] == "run" and STAMP.exists():
        return run(*arguments[1:])  # whichever Python this is, and made as it is
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        print(f"biosense needs Python 3.11 to 3.13, this is {sys.version.split()[0]}.")
        return 1
    provide_system_packages()
    if arguments[0] == "system":
        return 0
    make_environment()
    return COMMANDS[arguments[0]](arguments[1:])


def python() -> Path:
    """Return the interpreter of the environment."""
    folder, name = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return ENVIRONMENT / folder / name


def run(*arguments: str) -> int:
    """Run the environment's interpreter in the checkout, and return its exit code."""
    try:
        return subprocess.run([python(), *arguments], cwd=ROOT, check=False).returncode
    except KeyboardInterrupt:
        return 130


def provide_system_packages() -> None:
    """Name the system packages that are missing, and install them as root on Debian."""
    if not sys.platform.startswith("linux"):
        return
    missing = [
        package
        for library, package in QT_LIBRARIES.items()
        if ctypes.util.find_library(library) is None
    ]
    if not FONTS.exists():
        missing.append("fonts-dejavu-core")
    if shutil.which("dbus-daemon") is None:
        missing.append("dbus-daemon")
    if importlib.util.find_spec("ensurepip") is None:
        missing.append("python3-venv")
    if not missing:
        return
    print("System packages are missing:", " ".join(missing), flush=True)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print("Install them (Debian, Ubuntu: sudo apt-get install ...).")
        print("python3-venv is needed for anything, dbus-daemon for tests of Bluetooth sensors,")
        print("the others for the window.")
        return
    quiet = {"check": False, "stdout": subprocess.DEVNULL}
    subprocess.run(["apt-get", "-qq", "update"], **quiet)
    done = subprocess.run(
        ["apt-get", "-qq", "install", "-y", "--no-install-recommends", *missing],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        **quiet,
    )
    if done.returncode:
        print("apt-get could not install all of them; the window may not open.")


def make_environment() -> None:
    """Create .venv and install biosense and its tools into it, if that is not yet done."""
    digest = hashlib.sha256(sys.version.encode())
    for name in INPUTS:
        digest.update((ROOT / name).read_bytes())
    if STAMP.exists() and STAMP.read_text() == digest.hexdigest() and python().exists():
        return
    print(f"Making the environment in {ENVIRONMENT} (once; a few minutes).", flush=True)
    venv.create(ENVIRONMENT, with_pip=True, clear=True)
    # torch first: later, the resolver could choose a build of its own (hundreds of MB of CUDA).
    pip("torch==2.13.0")
    pip("-c", "constraints.txt", "-e", ".[dev]")
    if sys.version_info < (3, 13):
        # The face backend without jax and a second OpenCV, which it names but does not use.
        pip("--no-deps", "-c", "constraints.txt", "mediapipe==0.10.14")
    STAMP.write_text(digest.hexdigest())


def pip(*arguments: str) -> None:
    """Install with pip, quietly, and stop with its message when it fails."""
    command = ("-m", "pip", "--disable-pip-version-check", "install", "-q", *arguments)
    if code := run(*command):
        print(f"pip failed: python {' '.join(command)}")
        raise SystemExit(code)


def test(arguments: list[str]) -> int:
    """Run the checks that continuous integration runs; with arguments, pytest alone with them."""
    if arguments:
        return run("-m", "pytest", *arguments)
    # A process per core with one thread each; the tests of a file stay together.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    workers = str(min(os.cpu_count() or 1, MOST_WORKERS))
    checks = {
        "ruff check": ("-m", "ruff", "check", "."),
        "ruff format": ("-m", "ruff", "format", "--check", "."),
        "mypy --strict": ("-m", "mypy"),
        "pytest": ("-m", "pytest", "-q", "-n", workers, "--dist", "loadfile"),
    }
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    failed = []
    for name, command in checks.items():
        print(f"== {name}", flush=True)
        if run(*command):
            failed.append(name)
    print(f"== failed: {', '.join(failed)}" if failed else "== all checks passed")
    return 1 if failed else 0


def docs(arguments: list[str]) -> int:
    """Build the documentation; a warning is an error."""
    return run("-m", "sphinx", "-W", "--keep-going", *arguments, "docs", "docs/_build/html")


COMMANDS = {
    "demo": lambda arguments: run("-m", "biosense", "demo", *arguments),
    "test": test,
    "docs": docs,
    "run": lambda arguments: run(*arguments),
}

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
