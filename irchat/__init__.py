"""IRChat: a self-hosted chat for the terminal and the browser."""

__version__ = "0.2.0.dev0"
