"""Raw messages in, signals out: everything the responder understands of what CloudWatch and ECS send."""

from functions.handlers.signals.envelopes import Ignored, Outcome, read_message

__all__ = ["Ignored", "Outcome", "read_message"]
