"""The numbers of all advisory locks, which the nodes share."""

TURN = 7667
"""The turn to append to the log, for one transaction."""

INDEXING = (7668, 1)
PARTITIONING = (7668, 2)
SCHEMA = (7668, 3)
JOINING = (7668, 4)
BUS = (7668, 5)
"""Shared by all nodes with a bus. A node without a bus has it alone."""
CLEANING = (7668, 6)
FOLDING = (7668, 7)

NODE = 7669
"""With the number of a node: that the node runs."""
