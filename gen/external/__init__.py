"""Events of other programs in, and those of this one out."""

from __future__ import annotations
