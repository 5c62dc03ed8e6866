"""Tests of ``irchat/client/terminal``."""
