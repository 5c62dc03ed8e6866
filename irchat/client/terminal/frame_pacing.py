"""When the screens of a process draw what others did, so that keys are drawn at once."""

# Seconds. Events within this time are drawn as one frame.
_FRAME = 1 / 30
# The pause before a frame, as a multiple of the time that the last one took: the process is idle for most of it.
_IDLE_SHARE = 3
# The same for each screen that waits for a frame: together they draw for at most half of the time.
_SHARED_SHARE = 2


class FramePacing:
    """The pauses before frames for others' messages, for all screens of a process."""

    def __init__(self) -> None:
        self._waiting = 0

    def begin_wait(self, took: float) -> float:
        """Return the seconds until a screen may draw, whose last frame ``took`` so many. It waits until `end_wait`."""
        return max(_FRAME, self.begin_pause(took))

    def begin_pause(self, took: float) -> float:
        """Return the seconds until a screen may go on with its work, of which a part ``took`` so many."""
        self._waiting += 1
        return max(_IDLE_SHARE, _SHARED_SHARE * self._waiting) * took

    def end_wait(self) -> None:
        """Note that a screen draws now, or is gone."""
        self._waiting -= 1
