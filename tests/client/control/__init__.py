"""Tests of ``irchat/client/control``."""
