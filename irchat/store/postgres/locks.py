"""The advisory locks of all nodes: their numbers.

Those of the search index are in `irchat.store.postgres.search.indexing`: (7668, 1) and (7668, 2).
"""

TURN = 7667
"""The turn to append to the log, for one transaction."""

SCHEMA = (7668, 3)
JOINING = (7668, 4)
BUS = (7668, 5)
"""Shared by all nodes with a bus. A node without a bus has it alone."""
CLEANING = (7668, 6)

NODE = 7669
"""With the number of a node: that the node runs."""
