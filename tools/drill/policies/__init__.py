"""Ways to respond to an incident, each a small policy over the same world."""
