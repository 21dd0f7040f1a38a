"""A D-Bus daemon of our own: the simulated BlueZ lives on it, bleak takes it for the system's."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

VARIABLE = "DBUS_SYSTEM_BUS_ADDRESS"  # read by bleak's D-Bus library for every new connection

CONFIG = """<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
  </policy>
  {rule}
</busconfig>
"""
# What a desktop's own configuration says to a user who is not in the group `bluetooth`.
DENIED = '<policy context="mandatory"><deny send_destination="org.bluez"/></policy>'


def why_not() -> str:
    """Say why no private bus can be had on this machine; empty where it can."""
    if not sys.platform.startswith("linux"):
        return f"bleak speaks D-Bus on Linux only, this is {sys.platform}"
    if shutil.which("dbus-daemon") is None:
        return "dbus-daemon is not installed (Debian: apt-get install dbus-daemon)"
    return ""


class PrivateBus:
    """Run a dbus-daemon on a socket in a temporary folder, as the system bus of this process.

    Parameters
    ----------
    denied
        The bus lets nobody talk to BlueZ: AccessDenied, as for a user without the right group.
    """

    def __init__(self, *, denied: bool = False) -> None:
        self._rule = DENIED if denied else ""
        self._folder = tempfile.TemporaryDirectory(prefix="bus-")  # a short path: limit 107 bytes
        self._socket = Path(self._folder.name) / "socket"
        self._daemon: subprocess.Popen[str] | None = None
        self._before: str | None = None

    @property
    def address(self) -> str:
        return f"unix:path={self._socket}"

    def __enter__(self) -> PrivateBus:
        self._before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = self.address
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._folder.cleanup()
        if self._before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = self._before

    def start(self) -> None:
        """Start the daemon, also again after `kill`: the address stays."""
        config = Path(self._folder.name) / "bus.conf"
        config.write_text(CONFIG.format(socket=self._socket, rule=self._rule))
        command = ["dbus-daemon", "--nofork", "--nopidfile", "--print-address=1"]
        self._daemon = subprocess.Popen(
            [*command, f"--config-file={config}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it complains of file limits in containers
            text=True,
        )
        assert self._daemon.stdout is not None
        if not self._daemon.stdout.readline():  # printed once it listens
            self.kill()
            raise RuntimeError(f"dbus-daemon did not start with {config}")

    def kill(self) -> None:
        """End the daemon at once: every connection breaks, as when the system's bus dies."""
        if self._daemon is None:
            return
        self._daemon.kill()
        self._daemon.communicate()
        self._daemon = None
        self._socket.unlink(missing_ok=True)


async def release_bleak() -> None:
    """Close the connection that bleak keeps for as long as an event loop lives.

    Else it outlives the test, on a bus that is gone, and is found by the garbage collector.
    """
    from bleak.backends.bluezdbus.manager import _global_instances

    manager = _global_instances.pop(asyncio.get_running_loop(), None)
    if manager is None or manager._bus is None:
        return
    manager._bus.disconnect()
    if manager._bus_watcher_task is not None:
        await asyncio.wait({manager._bus_watcher_task})
