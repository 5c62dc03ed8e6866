"""Text: folding for comparison and search, names that look alike, excerpts, the normal form of passwords."""
