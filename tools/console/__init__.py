"""The console: pages on this machine alone, over what the desk reads and orders."""
