"""The web door: the page, and the WebSocket that it talks through."""
