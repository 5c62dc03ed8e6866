"""Tests of ``irchat/server/sessions``."""
