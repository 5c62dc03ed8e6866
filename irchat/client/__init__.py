"""The client. It joins a server from a terminal or a pipe and speaks the JSON protocol."""
