"""The errors that biosense raises: one base, and one class for each thing that a caller can do."""


class BiosenseError(Exception):
    """Base of every error that biosense raises on purpose."""


class BadInput(BiosenseError, ValueError):
    """Raise for a value, shape or setting that cannot be used; the message says what would be."""


class StreamNotFound(BiosenseError):
    """Raise when a stream, sensor or camera that was asked for is not within reach."""


class DeviceLost(BiosenseError):
    """Raise when a device stopped for good and its source cannot bring it back."""


class PacketError(BiosenseError, ValueError):
    """Raise for bytes that are no packet of the device that they are said to come from."""


class DeviceRefused(BiosenseError):
    """Raise when a device answers a command with no, or is one that cannot be used."""


class BluetoothUnavailable(BiosenseError):
    """Raise when this computer cannot use Bluetooth now; the message says why and what to do."""


class RecordingDamaged(BiosenseError):
    """Raise when a file cannot be read as a recording at all (a cut tail alone is not that)."""


class RecordingFailed(BiosenseError):
    """Raise when the disk refused data: what was written before stays valid."""


class CheckpointMismatch(BiosenseError):
    """Raise when a checkpoint and the features at hand do not belong together."""


class MissingExtra(BiosenseError, ImportError):
    """Raise when a library of an optional extra is not installed; the message names the extra."""


class DatasetIncomplete(BiosenseError):
    """Raise when a data set cannot be used as it is; the message says what is missing and where
    it is given out.
    """


class DatasetDamaged(BiosenseError, ValueError):
    """Raise for a file of a data set that cannot be trusted; the message names it and why."""


class LeakFound(BiosenseError, ValueError):
    """Raise where something of the test side reaches the training side: no score of it counts."""
