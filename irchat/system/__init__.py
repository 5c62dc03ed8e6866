"""The operating system: clocks, threads, signals, standard streams, the data folder, the supervisor."""
