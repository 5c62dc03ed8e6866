"""Rendering of events as safe, readable text, and the transcript of a terminal."""
