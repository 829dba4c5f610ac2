"""One module per Lambda function: parse, one call, return."""
