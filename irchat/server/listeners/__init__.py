"""Listening sockets, TLS handshakes, connections, and the files that lead local programs to the server."""
