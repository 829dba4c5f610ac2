"""The world of the drill: an ECS service and what surrounds it, moved by discrete events in virtual time."""
