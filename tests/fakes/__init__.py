"""Fakes that keep the promises of `functions.ports` in memory."""
