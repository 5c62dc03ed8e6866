"""The vocabulary of the wire: events, requests, errors, the rules of the protocol, and how a line becomes an object."""
