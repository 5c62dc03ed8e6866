"""Timed messages: in memory only, with one alarm for the next end."""
