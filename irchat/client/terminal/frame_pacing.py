"""The pauses before frames that are drawn for others' messages, so that keys are drawn at once."""

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
        """Return the seconds until a screen may draw. Its last frame ``took`` seconds. It counts until `end_wait`."""
        return max(_FRAME, self.begin_pause(took))

    def begin_pause(self, took: float) -> float:
        """Return the seconds until a screen may go on with its work. The last part of it ``took`` seconds."""
        self._waiting += 1
        return max(_IDLE_SHARE, _SHARED_SHARE * self._waiting) * took

    def end_wait(self) -> None:
        """Note that a screen draws now, or is gone."""
        self._waiting -= 1
