"""The writes of the core as statements, inside the transaction of a turn."""
