"""Tests of ``irchat/irc``."""
