"""The store of a cluster: PostgreSQL, with the log that all nodes share."""
