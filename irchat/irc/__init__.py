"""The IRC protocol as values: lines, replies and the state of a registration, without sockets and without the chat."""
