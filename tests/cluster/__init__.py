"""Tests of irchat.cluster."""
