"""Keeps functions of the responder from running, by reserving no execution at all for them."""

from typing import Any

from botocore.exceptions import ClientError

from functions.adapters.answers import changing, code_of, reading
from functions.domain.errors import NotNamed

CALLS = ("lambda:GetFunctionConcurrency", "lambda:PutFunctionConcurrency", "lambda:DeleteFunctionConcurrency")
"""IAM actions, of whoever sits at the desk: no function of the responder has them."""


class LambdaHold:
    """The `FunctionHold` of the desk. IAM actions: `CALLS`.

    What is reserved holds for a function as a whole, with all its versions, and of 0 nothing runs (Lambda API
    reference, PutFunctionConcurrency).
    """

    def __init__(self, client: Any) -> None:
        """The client may send a call twice."""
        self._client = client

    def reserved(self, function: str) -> int | None:
        with reading(f"function {function}"):
            try:
                answer = self._client.get_function_concurrency(FunctionName=function)
            except ClientError as error:
                if code_of(error) == "ResourceNotFoundException":
                    raise NotNamed(f"there is no function {function}") from error
                raise
        found = answer.get("ReservedConcurrentExecutions")
        return None if found is None else int(found)

    def hold(self, function: str) -> None:
        with changing(f"PutFunctionConcurrency of {function}"):
            self._client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)

    def let_go(self, function: str) -> None:
        with changing(f"DeleteFunctionConcurrency of {function}"):
            self._client.delete_function_concurrency(FunctionName=function)
