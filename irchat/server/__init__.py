"""The server's side of the wire: connections, faces, and the delivery of what the core publishes."""
