"""An AWS on this machine, for as long as a `with` block lasts.

Two servers on free ports of 127.0.0.1, both in this project's own Python:

- ministack is the emulator: CloudFormation, Lambda, Step Functions, DynamoDB, SQS, SNS, CloudWatch, ECS, ...
- moto's server answers for Application Auto Scaling alone, which ministack does not have.

Everything they and their Lambda workers write lies in one temporary directory, which goes when they go.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from tools.demo.processes import process_group, terminating

ACCOUNT = "000000000000"
REGION = "us-east-1"

_HOST = "127.0.0.1"
_START_SECONDS = 60.0
_LOG_TAIL_LINES = 20


class EmulatorFailed(RuntimeError):
    """A server of the emulator did not start; the message ends with the last lines of its log."""


@dataclass(frozen=True, kw_only=True)
class Emulator:
    """A running emulator.

    Attributes:
        endpoint: where every service but one is reached.
        autoscaling_endpoint: where Application Auto Scaling is reached.
        directory: temporary; for whatever should vanish together with the emulator.
    """

    endpoint: str
    autoscaling_endpoint: str
    directory: Path

    @property
    def log(self) -> Path:
        """What ministack says, the log of the Lambda functions included."""
        return self.directory / "ministack.log"

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that point boto3, the `aws` and the `cdk` command at the emulator."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING": self.autoscaling_endpoint,
            "AWS_ACCESS_KEY_ID": ACCOUNT,  # ministack takes twelve digits for the account
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    def environment(self) -> dict[str, str]:
        """A whole environment for child processes, in which nothing leads to a real AWS account."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
        return {
            **inherited,
            **self.variables,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": _HOST,
            "no_proxy": _HOST,
            "PATH": _path(),
            "TMPDIR": str(self.directory),
        }

    def client(self, service: str, *, region: str = REGION) -> Any:
        """A boto3 client that cannot reach anything but the emulator."""
        endpoint = self.autoscaling_endpoint if service == "application-autoscaling" else self.endpoint
        return _client(service, endpoint, region=region)

    def register_scalable_target(self, *, cluster: str, service: str, minimum: int, maximum: int) -> None:
        """Give a service the scalable target that CloudFormation makes on AWS.

        ministack's CloudFormation refuses a template with `AWS::ApplicationAutoScaling::*`. moto has the API, but takes
        a target only for a service that its own ECS knows, so it is shown an empty one of that name.
        """
        ecs = _client("ecs", self.autoscaling_endpoint)
        ecs.create_cluster(clusterName=cluster)
        container = {"name": service, "image": "none", "memory": 128}
        ecs.register_task_definition(family=service, containerDefinitions=[container])
        ecs.create_service(cluster=cluster, serviceName=service, taskDefinition=service, desiredCount=0)
        self.client("application-autoscaling").register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId=f"service/{cluster}/{service}",
            ScalableDimension="ecs:service:DesiredCount",
            MinCapacity=minimum,
            MaxCapacity=maximum,
        )


@contextmanager
def emulator(
    *, wait_scale: float = 1.0, enforce_iam: bool = False, record_calls: bool = False, trust: Path | None = None
) -> Iterator[Emulator]:
    """Start the emulator and stop it for sure: at the end, on an error, on Ctrl-C, on SIGTERM.

    Args:
        wait_scale: factor on the waits and retry intervals of Step Functions; their time-outs stay real seconds.
        enforce_iam: refuse calls that a function's role does not grant.
        record_calls: make CloudTrail's LookupEvents show the calls that were made.
        trust: certificates (PEM) that its functions trust, instead of the machine's authorities.

    Raises:
        EmulatorFailed: if a server is not there within a minute.
    """
    with terminating(), TemporaryDirectory(prefix="ecs-first-responder-") as temporary, ExitStack() as servers:
        directory = Path(temporary)
        gateway_port, autoscaling_port = _free_ports(2)
        running = Emulator(
            endpoint=f"http://{_HOST}:{gateway_port}",
            autoscaling_endpoint=f"http://{_HOST}:{autoscaling_port}",
            directory=directory,
        )
        # Lambda workers inherit ministack's environment: what is not named here must not leak into them.
        environment = {
            "PATH": _path(),
            "HOME": str(directory),
            "TMPDIR": str(directory),
            "STATE_DIR": str(directory / "state"),
            "BIND_HOST": _HOST,
            "MINISTACK_HOST": _HOST,
            # These two would listen on every interface.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "GATEWAY_PORT": str(gateway_port),
            "SFN_WAIT_SCALE": str(wait_scale),
            "AUTH": str(enforce_iam).lower(),
            "CLOUDTRAIL_RECORDING": str(int(record_calls)),
            "AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING": running.autoscaling_endpoint,
            **({} if trust is None else {"SSL_CERT_FILE": str(trust)}),
        }
        gateway = servers.enter_context(
            process_group([sys.executable, "-m", "ministack"], environment=environment, log=running.log)
        )
        autoscaling_log = directory / "moto.log"
        autoscaling = servers.enter_context(
            process_group(
                [sys.executable, "-m", "moto.server", "-H", _HOST, "-p", str(autoscaling_port)],
                environment={"PATH": _path(), "HOME": str(directory), "MOTO_ACCOUNT_ID": ACCOUNT},
                log=autoscaling_log,
            )
        )
        _wait_until_healthy(gateway, f"{running.endpoint}/_ministack/health", running.log)
        _wait_until_healthy(autoscaling, f"{running.autoscaling_endpoint}/moto-api/", autoscaling_log)
        _warm(running)
        yield running


def export_lines(variables: Mapping[str, str]) -> str:
    """Shell lines that set these variables, for a person to paste."""
    return "\n".join(f"export {name}={value}" for name, value in variables.items())


def _path() -> str:
    """The search path with this Python's own directory first: there are `node` and `cdk`."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def _client(service: str, endpoint: str, *, region: str = REGION) -> Any:
    return _session().client(service, region_name=region, endpoint_url=endpoint, config=Config(proxies={}))


@cache
def _session() -> boto3.Session:
    """A session that reads neither the profile nor the files of the person at the desk."""
    nowhere = (None, None, os.devnull, None)
    isolated = {"profile": (None, None, None, None), "config_file": nowhere, "credentials_file": nowhere}
    return boto3.Session(
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="test",
        region_name=REGION,
        botocore_session=botocore.session.Session(session_vars=isolated),
    )


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on. All are held while looking, so that they differ."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((_HOST, 0))
        return [int(each.getsockname()[1]) for each in sockets]


def _wait_until_healthy(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    # A proxy from the environment must not be asked for a local address.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise EmulatorFailed(f"{_name(log)} ended with status {process.returncode}:\n{_tail(log)}")
        try:
            with opener.open(url, timeout=1):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise EmulatorFailed(f"{_name(log)} did not answer within {_START_SECONDS:.0f} s:\n{_tail(log)}")


def _warm(emulator: Emulator) -> None:
    """ministack answers nobody for some seconds when it is first asked for a service that it does not have. The first
    look at an incident would be that one."""
    with suppress(ClientError):
        emulator.client("health").describe_events()


def _name(log: Path) -> str:
    return log.stem


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:])
