"""The user's actions: typed lines, messages being sent, history, completion, questions."""
