"""The machine: clocks, alarms, the data folder, times as an administrator types them, core dumps."""
