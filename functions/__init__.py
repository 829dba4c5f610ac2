"""What runs in Lambda: the responder itself, from the handlers down to the domain."""
