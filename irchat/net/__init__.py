"""Bytes on the network: the socket writer, TLS, addresses, fingerprints, the port note."""
