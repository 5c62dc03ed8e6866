"""The client without a full screen: for pipes, bots, screen readers."""
