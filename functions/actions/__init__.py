"""What the responder can do: each action makes a plan from findings, or says why it cannot."""
