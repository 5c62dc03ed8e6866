"""Tests of ``irchat/bot``."""
