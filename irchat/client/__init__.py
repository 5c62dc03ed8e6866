"""The client: joins a server from a terminal or a pipe, speaking the JSON protocol."""
