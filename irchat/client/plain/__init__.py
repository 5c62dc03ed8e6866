"""The client without a full screen, for pipes, bots and screen readers."""
