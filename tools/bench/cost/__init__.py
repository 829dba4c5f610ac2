"""What the responder costs: every call of real runs counted, and the templates of a deployment gone through."""
