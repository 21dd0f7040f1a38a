"""An inlet whose every answer, and whose time, is the test's own."""

from collections import deque

import numpy as np


class FakeClock:
    def __init__(self):
        self.time = 1000.0

    def now(self):
        return self.time


class FakeInlet:
    """A sender whose clock runs `offset` behind session time."""

    def __init__(self):
        self.known = 0.0
        self.back = False
        self.packets = deque()

    def send(self, stamps):
        stamps = np.asarray(stamps, float)
        self.packets.append((stamps, np.ones((len(stamps), 1), np.float32)))

    def pull(self):
        if self.packets:
            return self.packets.popleft()
        return np.zeros(0), np.zeros((0, 1), np.float32)

    def offset(self):
        return self.known

    def reconnected(self):
        back, self.back = self.back, False
        return back
