"""What the user does: typed lines, sends on their way, history, completion, questions."""
