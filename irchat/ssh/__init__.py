"""The SSH door: a process of its own that speaks SSH and draws the full screen of the client for many users."""
