"""The parts of a server that depend on its settings: its store, the other nodes, and the port with its figures."""
