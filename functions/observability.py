"""The one logger, tracer and metrics of the functions."""

from aws_lambda_powertools import Logger, Metrics, Tracer

METRICS_NAMESPACE = "EcsFirstResponder"
SERVICE = "ecs-first-responder"
SIGNALS_REJECTED = "SignalsRejected"
SIGNALS_RECORDED = "SignalsRecorded"
CHECKS_NOT_MADE = "ChecksNotMade"
"""Rounds in which a synthetic check could not be carried out for reasons of our own."""

logger = Logger(service=SERVICE)
metrics = Metrics(namespace=METRICS_NAMESPACE, service=SERVICE)
tracer = Tracer(service=SERVICE, patch_modules=["botocore"])
