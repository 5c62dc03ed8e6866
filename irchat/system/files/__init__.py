"""Files and folders: locks, whole replacement, kinds of files, sizes."""
