"""Sockets: listening, TLS handshakes, connections, the files by which this machine finds the server."""
