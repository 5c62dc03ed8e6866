"""The state of the core: what memory holds of the entries that are committed, and presence."""
