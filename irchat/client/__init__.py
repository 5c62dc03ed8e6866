"""The client: joins a server from a terminal or a pipe. It speaks the JSON face and knows nothing of the server's side."""
