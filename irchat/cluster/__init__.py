"""Several nodes as one chat: the bus between them, and what crosses it without being stored."""
