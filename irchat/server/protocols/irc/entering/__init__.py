"""Registration: from the first line of a client to its sign-in, and the lines that welcome it."""
