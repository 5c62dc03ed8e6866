"""The log that all nodes share: turns, appending, following, and the table of the nodes."""
