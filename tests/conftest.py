"""What all tests share: no deadline, because time never decides a test."""

from hypothesis import settings

settings.register_profile("omnicheck", deadline=None)
settings.load_profile("omnicheck")
