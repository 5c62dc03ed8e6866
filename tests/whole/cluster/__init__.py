"""Several real nodes as one chat."""
