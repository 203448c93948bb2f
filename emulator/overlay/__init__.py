"""What moto's EC2 lacks or does otherwise than AWS; importing this package puts it over moto's own classes."""

from . import blocking, images, keys, sharing, speed, usage

__all__ = ["blocking", "images", "keys", "sharing", "speed", "usage"]
