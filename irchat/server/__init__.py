"""The server's side of the wire: connections, protocols, and the delivery of what the core publishes."""
