"""Messages: PRIVMSG, history and read markers, in both directions."""
