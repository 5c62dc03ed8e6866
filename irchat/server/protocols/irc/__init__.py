"""The IRC protocol: lines of an IRC client become requests, and replies and events become lines."""
