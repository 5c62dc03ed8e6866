"""Amendments: edits, deletions and marks of stored messages, and taking back timed ones."""
