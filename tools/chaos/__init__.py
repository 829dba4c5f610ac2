"""Chaos: the drill's incidents again, with everything breaking, to see whether the promises hold."""
