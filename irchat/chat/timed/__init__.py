"""Timed messages, in memory only, with one alarm for the earliest end."""
