"""An embedded AWS, a sample service with its traffic and its faults: where the responder can be watched at work."""
