"""Text: folding for comparison and search, names that look alike, excerpts, passwords as they are compared."""
