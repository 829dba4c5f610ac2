"""The drill: incidents in a simulated ECS, in virtual time, to see whether the responder helps."""
