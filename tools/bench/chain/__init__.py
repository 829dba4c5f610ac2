"""From the message of an alarm to the call that remedies: the responder, its floor, and an operator's commands."""
