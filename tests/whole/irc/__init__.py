"""Real IRC clients and a real server."""
