"""A file that only grows, by whole pieces, and that comes back when its disk does."""

from __future__ import annotations

import errno
import os
import threading
from contextlib import suppress
from pathlib import Path

_FLAGS = os.O_RDWR | getattr(os, "O_BINARY", 0)
_HEAD = 4096  # bytes from which a file is known again
_COPY = 1 << 20
_KEPT = 64 << 20  # bytes kept in memory at most for want of a sync
FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
"""What a disk says that is full; after anything else the file is opened anew."""


class AppendFile:
    """Append pieces to a new file; each is there as a whole, or not at all.

    Every piece goes straight to the operating system, so that it outlives this process. A killed
    process cannot leave half a piece either: the kernel may cut a write at any page, therefore the
    first byte of a piece, without which no reader takes it for one, is written last.

    What is not yet known to be on the disk is kept in memory. A failed sync throws away what it was
    to bring there (Linux marks such pages as clean), and a disk that was pulled out lacks it when
    it comes back: then it is written again. Beyond 64 MiB of that, `append` waits for a sync.

    Parameters
    ----------
    path
        The file; it must not exist.

    Raises
    ------
    FileExistsError
        If there is a file already.
    OSError
        If the disk refuses data, here and from every method. The file then still ends with the
        last complete piece, and a later call may succeed.

    Examples
    --------
    >>> import tempfile
    >>> file = AppendFile(Path(tempfile.mkdtemp()) / "a")
    >>> file.append(b"one")
    >>> file.sync()
    >>> file.append(b"two")
    >>> file.end, file.synced, file.path.read_bytes()
    (6, 3, b'onetwo')
    >>> file.close()
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.end = 0
        self.synced = 0
        self._file = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o644)
        self._is_open = True
        self._head = b""
        self._pieces: list[bytes] = []  # from `synced` to `end`
        self._dirty = False  # bytes of a failed write may stand behind the last complete piece
        self._doubtful = False  # the file may lack what stands between `synced` and `end`
        self._sync: _Sync | None = None

    @property
    def unsynced(self) -> int:
        """Bytes that are kept in memory because no sync has confirmed them."""
        return self.end - self.synced

    @property
    def syncing(self) -> bool:
        """True while a sync is under way."""
        return self._sync is not None and not self._sync.over.is_set()

    def append(self, data: bytes) -> None:
        """Append a piece."""
        if self.unsynced > _KEPT:
            self.sync()
        self._mend()
        self._dirty = True
        try:
            self._write_at(self.end + 1, memoryview(data)[1:])
            self._write_at(self.end, memoryview(data)[:1])
        except OSError:
            with suppress(OSError):  # what is wrong is said by the error that led here
                self._mend()
            raise
        self.end += len(data)
        self._dirty = False
        self._pieces.append(data)
        if len(self._head) < _HEAD:
            self._head = (self._head + data)[:_HEAD]

    def begin_sync(self) -> None:
        """Begin to bring all that was appended past every cache to the disk, in a thread.

        A disk may take seconds for that, in which pieces are appended as ever. Nothing happens
        while a sync is under way.
        """
        if self._sync is None:
            self._mend()
            self._sync = _Sync(self._file, self.end, len(self._pieces))

    def end_sync(self, seconds: float | None = 0.0) -> bool:
        """Wait for the sync for some seconds (None: to its end); False where it is not over."""
        sync = self._sync
        if sync is None:
            return True
        if not sync.over.wait(seconds):
            return False
        self._sync = None
        if sync.error is not None:
            self._doubtful = True
            raise sync.error
        self.synced = sync.end
        del self._pieces[: sync.pieces]
        return True

    def sync(self) -> None:
        """Bring everything to the disk, and wait for it."""
        with suppress(OSError):  # what it was to bring there is written again
            self.end_sync(None)
        self.begin_sync()
        self.end_sync(None)

    def is_in_place(self) -> bool:
        """Tell whether what is written still arrives in the file at `path`."""
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(self._file))  # noqa: PTH116
        except OSError:
            return False

    def revive(self) -> None:
        """Open the file anew where it was; if it was deleted, make it again.

        Raises
        ------
        OSError
            If its folder is gone, or another file is in its place; nothing has changed then.
        """
        with suppress(OSError):  # the reason to be here
            if not self.end_sync():
                raise TimeoutError(errno.ETIMEDOUT, "a sync to the disk hangs", str(self.path))
        try:
            file = os.open(self.path, _FLAGS)
        except FileNotFoundError:
            file = self._restored()
        if not self._is_ours(file):
            os.close(file)
            raise FileNotFoundError(errno.ENOENT, "another file is in its place", str(self.path))
        with suppress(OSError):  # of a device that is gone
            os.close(self._file)
        self._file = file
        self._dirty = self._doubtful = True

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        if self._is_open:
            self._is_open = False
            os.close(self._file)

    def _mend(self) -> None:
        if self._doubtful:
            self._write_at(self.synced, b"".join(self._pieces))
            self._doubtful = False
        if self._dirty:
            os.ftruncate(self._file, self.end)
            self._dirty = False

    def _write_at(self, position: int, data: bytes | memoryview) -> None:
        os.lseek(self._file, position, os.SEEK_SET)
        left = memoryview(data)
        while left:
            left = left[os.write(self._file, left) :]

    def _is_ours(self, file: int) -> bool:
        size = min(len(self._head), self.synced)
        os.lseek(file, 0, os.SEEK_SET)
        return os.fstat(file).st_size >= self.synced and os.read(file, size) == self._head[:size]

    def _restored(self) -> int:
        """Copy what the deleted file holds as long as it is open; return the copy."""
        self.path.parent.mkdir(exist_ok=True)
        file = os.open(self.path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            self._copy_to(file)
        except OSError:
            os.close(file)
            self.path.unlink()
            raise
        sync_folder(self.path.parent)
        return file

    def _copy_to(self, file: int) -> None:
        at = 0
        while at < self.synced:
            os.lseek(self._file, at, os.SEEK_SET)
            part = os.read(self._file, min(_COPY, self.synced - at))
            if not part:
                raise OSError(errno.EIO, "the deleted file lacks its end", str(self.path))
            at += len(part)
            while part:
                part = part[os.write(file, part) :]
        os.fsync(file)


class _Sync:
    """One sync to the disk, in a thread of its own: one that hangs ends with the process."""

    def __init__(self, file: int, end: int, pieces: int) -> None:
        self.end = end
        self.pieces = pieces
        self.error: OSError | None = None
        self.over = threading.Event()
        threading.Thread(target=self._run, args=(file,), name="sync", daemon=True).start()

    def _run(self, file: int) -> None:
        try:
            # fdatasync leaves out the modification time; only Linux has it.
            getattr(os, "fdatasync", os.fsync)(file)
        except OSError as error:
            self.error = error
        finally:
            self.over.set()


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system can: a new file is lost without."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows keeps names safe itself
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
