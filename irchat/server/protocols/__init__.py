"""The protocols that a connection speaks: text and JSON."""
