"""ATT errors, which sensors answer with, and the texts of a Connect that failed."""

from __future__ import annotations

# Core specification 5.2, vol 3 part F, 3.4.1.1.
READ_NOT_PERMITTED = 0x02
WRITE_NOT_PERMITTED = 0x03
INSUFFICIENT_AUTHENTICATION = 0x05
REQUEST_NOT_SUPPORTED = 0x06
INVALID_OFFSET = 0x07
INSUFFICIENT_AUTHORIZATION = 0x08
KEY_TOO_SHORT = 0x0C
INVALID_LENGTH = 0x0D
INSUFFICIENT_ENCRYPTION = 0x0F
UNKNOWN_COMMAND = 0x80  # from here on up: the sensor's own

# BlueZ, src/error.h.
ABORTED_HERE = "le-connection-abort-by-local"  # interference; bleak tries again by itself
ABORTED_THERE = "le-connection-abort-by-remote"
CONNECT_TIMEOUT = "le-connection-timeout"
CONNECT_REFUSED = "le-connection-refused"


class AttError(Exception):
    """Raise in a peripheral's `on_read`, `on_write`, `on_subscribe` to answer with an ATT error."""

    def __init__(self, code: int) -> None:
        super().__init__(f"ATT error 0x{code:02x}")
        self.code = code
