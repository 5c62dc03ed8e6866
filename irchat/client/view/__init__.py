"""The state of the screen and its rows, computed from events without a terminal or a reactor."""
