"""A service to look after: `orders` of the cluster `shop`, on Fargate behind a load balancer.

A CDK app of its own, because the responder's stacks are for services that already exist::

    cdk deploy --app 'python -m tools.demo.sample_service' --context image=httpd:2.4

Context:

- `image`: what the tasks run; on AWS it must exist.
- `alarm_period`: seconds; of the alarm on the database (60).
- `autoscaling`: `false` leaves out the scalable target and its policy. The emulator's CloudFormation does not know
  `AWS::ApplicationAutoScaling::*` and refuses the whole template; there `Emulator.register_scalable_target` makes the
  target through the API instead.
- `synthesizer`: `cli` deploys with the credentials of whoever runs the CDK CLI; without it, with the roles that
  `cdk bootstrap` made.
"""

from aws_cdk import App, CliCredentialsStackSynthesizer, Duration, IStackSynthesizer, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_logs as logs
from constructs import Construct

from tools.demo.shop import (
    CLUSTER,
    DATABASE_ALARM,
    DATABASE_DIMENSIONS,
    DATABASE_METRIC,
    DATABASE_NAMESPACE,
    GOOD_IMAGE,
    SAMPLE_STACK,
    SERVICE,
    TASKS_MAXIMUM,
    TASKS_MINIMUM,
)

_NETWORK = "10.0.0.0/16"
_PORT = 80


class SampleServiceStack(Stack):
    """The service, its load balancer, its scaling and the alarm on the database it depends on."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        image: str,
        alarm_period: Duration,
        autoscaling: bool,
        synthesizer: IStackSynthesizer | None = None,
    ) -> None:
        super().__init__(scope, construct_id, synthesizer=synthesizer)
        # No NAT gateway, which would cost money all day: tasks have public addresses and a closed security group.
        vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(_NETWORK),
            max_azs=2,
            nat_gateways=0,
            restrict_default_security_group=False,
            subnet_configuration=[ec2.SubnetConfiguration(name="public", subnet_type=ec2.SubnetType.PUBLIC)],
        )
        service = self._service(vpc=vpc, image=image)
        self._load_balancer(vpc=vpc, service=service)
        if autoscaling:
            scaling = service.auto_scale_task_count(min_capacity=TASKS_MINIMUM, max_capacity=TASKS_MAXIMUM)
            scaling.scale_on_cpu_utilization("Cpu", target_utilization_percent=60)
        cloudwatch.Alarm(
            self,
            "DatabaseUnreachable",
            alarm_name=DATABASE_ALARM,
            alarm_description="The database of the orders service does not take connections.",
            metric=cloudwatch.Metric(
                namespace=DATABASE_NAMESPACE,
                metric_name=DATABASE_METRIC,
                dimensions_map=DATABASE_DIMENSIONS,
                statistic="Sum",
                period=alarm_period,
            ),
            threshold=5,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _service(self, *, vpc: ec2.Vpc, image: str) -> ecs.FargateService:
        tasks = ecs.FargateTaskDefinition(self, "Tasks", family=SERVICE, cpu=256, memory_limit_mib=512)
        tasks.add_container(
            SERVICE,
            image=ecs.ContainerImage.from_registry(image),
            port_mappings=[ecs.PortMapping(container_port=_PORT)],
            logging=ecs.LogDriver.aws_logs(
                stream_prefix=SERVICE,
                log_group=logs.LogGroup(
                    self, "Log", retention=logs.RetentionDays.ONE_WEEK, removal_policy=RemovalPolicy.DESTROY
                ),
            ),
        )
        return ecs.FargateService(
            self,
            "Service",
            cluster=ecs.Cluster(self, "Cluster", cluster_name=CLUSTER, vpc=vpc),
            service_name=SERVICE,
            task_definition=tasks,
            desired_count=TASKS_MINIMUM,
            min_healthy_percent=100,
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
            assign_public_ip=True,
            security_groups=[
                self._security_group("ServiceAccess", vpc=vpc, peer=ec2.Peer.ipv4(_NETWORK)),
            ],
        )

    def _load_balancer(self, *, vpc: ec2.Vpc, service: ecs.FargateService) -> None:
        balancer = elbv2.ApplicationLoadBalancer(
            self,
            "LoadBalancer",
            vpc=vpc,
            internet_facing=True,
            security_group=self._security_group("LoadBalancerAccess", vpc=vpc, peer=ec2.Peer.any_ipv4()),
        )
        listener = balancer.add_listener("Http", port=_PORT, open=False)
        listener.add_targets(
            "Orders",
            port=_PORT,
            targets=[service],
            deregistration_delay=Duration.seconds(10),
            health_check=elbv2.HealthCheck(path="/", interval=Duration.seconds(15)),
        )

    def _security_group(self, construct_id: str, *, vpc: ec2.Vpc, peer: ec2.IPeer) -> ec2.ISecurityGroup:
        """A security group that lets this peer in and that CDK adds nothing to.

        Left to itself CDK lets the load balancer's group into the service's by an `AWS::EC2::SecurityGroupIngress`,
        which the emulator does not know. The network's own addresses are as good: only the load balancer has any
        business with the tasks.
        """
        group = ec2.SecurityGroup(self, construct_id, vpc=vpc)
        group.add_ingress_rule(peer, ec2.Port.tcp(_PORT))
        return ec2.SecurityGroup.from_security_group_id(
            self, f"{construct_id}Sealed", group.security_group_id, mutable=False
        )


def main() -> None:
    """Synthesise the stack."""
    app = App()
    own = CliCredentialsStackSynthesizer() if app.node.try_get_context("synthesizer") == "cli" else None
    SampleServiceStack(
        app,
        SAMPLE_STACK,
        image=app.node.try_get_context("image") or GOOD_IMAGE,
        alarm_period=Duration.seconds(int(app.node.try_get_context("alarm_period") or 60)),
        autoscaling=app.node.try_get_context("autoscaling") != "false",
        synthesizer=own,
    )
    app.synth()


if __name__ == "__main__":
    main()
