"""What the screen shows, made from events: pure, without a terminal and without a reactor."""
