"""A screen for whole players."""

from tests.render.conftest import xvfb

__all__ = ["xvfb"]
