"""The bus between the nodes of a cluster, and the messages that cross it without being stored."""
