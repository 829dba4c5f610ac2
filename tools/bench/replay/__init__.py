"""Recorded invocations of the handlers, and their AWS calls answered from memory, so that CPU time alone is measured."""
