"""The full screen: keys in, rows out, with prompt_toolkit over Twisted's StandardIO."""
