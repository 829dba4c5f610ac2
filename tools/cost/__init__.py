"""What the responder costs: list prices, and what is paid for as it was counted. Calls no AWS."""
