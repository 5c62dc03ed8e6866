"""The keys, for the screen that F1 shows."""

KEYS = (
    "Enter send · Alt-Enter new line · Tab complete · Up Down Ctrl-R history",
    "PgUp PgDn older, newer · End the end · Ctrl-N Ctrl-P next chat, unread first",
    "Alt-1..9 chat of that number · Alt-0 unread · Ctrl-K go to any chat",
    "Ctrl-C clear the line, leave · Ctrl-Z suspend · Ctrl-L redraw · emacs keys",
    "In a chat plain text goes there, and *30 text is erased after 30 seconds; what looks",
    "like a command is said with the chat before it: @bob ls is nice. exit --forget also",
    "forgets the sign-in.",
)

MORE = "!help <prefix> says what those of a prefix mean, for example !help *"
