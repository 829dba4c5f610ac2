"""The stacks. They wire constructs; what the functions may do comes from what the functions declare."""
