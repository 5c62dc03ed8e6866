"""The SSH door with a real server and the system's ssh."""
