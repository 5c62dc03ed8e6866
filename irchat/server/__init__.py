"""The server: listeners, connections, sessions, protocols, and the delivery of publications."""
