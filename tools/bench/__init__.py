"""What the responder costs in time, calls and money, each beside its floor and what people would do without it."""
