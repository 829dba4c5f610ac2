"""Adapters: what keeps the promises of `functions.ports`. The only room that imports boto3."""
