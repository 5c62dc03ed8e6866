"""Tests of ``irchat/irc/registration``."""
