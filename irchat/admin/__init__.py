"""The administrator's commands, which work while the server runs and while it does not."""
