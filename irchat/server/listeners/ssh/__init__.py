"""The server's side of the SSH door: first bytes, relays to the process that speaks SSH, and its way back."""
