"""The full screen: keys in, frames out, with prompt_toolkit over Twisted's StandardIO."""
