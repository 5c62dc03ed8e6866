"""The wire protocol: its events, requests, errors and rules, and the conversion of lines to objects and back."""
