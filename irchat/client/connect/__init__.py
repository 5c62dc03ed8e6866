"""From a typed address to a signed-in connection: addresses, dialing, trust, tokens, sign-in."""
