"""What the responder keeps by itself: pages and documents (API references of Amazon SNS and Amazon S3)."""

from io import BytesIO

from tools.drill.world.operations import Answer, Operations, Parameters
from tools.drill.world.refusal import Refused
from tools.drill.world.world import World


def publish(world: World, parameters: Parameters) -> Answer:
    world.pages.append((world.seconds, dict(parameters)))
    return {"MessageId": world.chance.token("world/page", len(world.pages))}


def put_object(world: World, parameters: Parameters) -> Answer:
    body = parameters["Body"]
    content = body if isinstance(body, bytes) else body.read()
    world.objects[parameters["Bucket"], parameters["Key"]] = content
    return {"ETag": f'"{world.chance.token(parameters["Key"], len(content))}"'}


def get_object(world: World, parameters: Parameters) -> Answer:
    body = world.objects.get((parameters["Bucket"], parameters["Key"]))
    if body is None:
        raise Refused("NoSuchKey", "The specified key does not exist.", status=404)
    return {"Body": BytesIO(body), "ContentLength": len(body)}


def put_events(world: World, parameters: Parameters) -> Answer:
    entries = parameters["Entries"]
    world.announced += entries
    before = len(world.announced) - len(entries)
    ids = [world.chance.token("world/event", before + n) for n, _ in enumerate(entries)]
    return {"FailedEntryCount": 0, "Entries": [{"EventId": identifier} for identifier in ids]}


OTHERS = Operations(
    keeping={"Publish": publish, "PutEvents": put_events, "PutObject": put_object, "GetObject": get_object}
)
