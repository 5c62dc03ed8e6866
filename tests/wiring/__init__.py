"""Tests of irchat.wiring."""
