"""Enumerations whose members are texts, as ``enum.StrEnum`` makes them from Python 3.11 on."""

from __future__ import annotations

from enum import Enum


class Words(str, Enum):
    """Members are their own text."""

    def __str__(self) -> str:
        return str(self.value)

    def __format__(self, spec: str) -> str:
        return format(str(self.value), spec)
