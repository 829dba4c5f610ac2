"""From the message of an alarm to the call that remedies it: sequential calls of AWS, and time with latency injected."""
