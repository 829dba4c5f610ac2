"""Recorded invocations of the handlers, their AWS calls answered from memory: CPU time alone is measured."""
