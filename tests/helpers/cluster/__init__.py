"""Several nodes as one chat: clients that record what happens, and a checker of the recorded history."""
