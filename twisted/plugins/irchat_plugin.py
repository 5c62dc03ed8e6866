"""Makes ``twistd irchat`` known."""

from twisted.application.service import ServiceMaker

irchat = ServiceMaker("IRChat", "irchat.tap", "A self-hosted chat for the terminal.", "irchat")
