"""Where messages, accounts, groups and blocks are kept. The only place with SQL."""
