"""The full-text index: filled behind the writes, searched within a budget, built anew where needed."""
