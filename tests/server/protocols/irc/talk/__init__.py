"""Tests of ``irchat/server/protocols/irc/talk``."""
