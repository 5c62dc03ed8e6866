"""The commands of one account: its sessions and its SSH keys."""
