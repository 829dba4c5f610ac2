"""Reads one incident for the desk."""

from functions.workflow.trails import Trail, read_trail

__all__ = ["Trail", "read_trail"]
