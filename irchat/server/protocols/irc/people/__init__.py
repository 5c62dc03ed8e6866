"""Users: WHO, WHOIS, AWAY, MONITOR, blocks, and the services `*irchat` and NickServ."""
