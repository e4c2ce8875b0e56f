"""Partial responses: the ``fields`` parameter, ``items(id,start/date),nextPageToken`` and the like."""

from __future__ import annotations

from typing import Any

from calsync.simulator.google.errors import invalid

Mask = dict[str, "Mask | None"]  # None keeps everything below


def parse(text: str) -> Mask:
    """Read a field mask; 400 when brackets do not match."""
    mask, rest = _list(text)
    if rest:
        raise invalid(f"Invalid field selection {text}", parameter="fields")
    return mask


def _list(text: str) -> tuple[Mask, str]:
    mask: Mask = {}
    while text:
        stop = next((at for at, sign in enumerate(text) if sign in ",()"), len(text))
        path, text = text[:stop], text[stop:]
        below: Mask | None = None
        if text.startswith("("):
            below, text = _list(text[1:])
            if not text.startswith(")"):
                raise invalid("Invalid field selection", parameter="fields")
            text = text[1:]
        _enter(mask, path.strip(), below)
        if not text.startswith(","):
            break
        text = text[1:]
    return mask, text


def _enter(mask: Mask, path: str, below: Mask | None) -> None:
    head, slash, tail = path.partition("/")
    if not head:
        raise invalid("Invalid field selection", parameter="fields")
    if not slash:
        mask[head] = below
        return
    inner = mask.setdefault(head, {})
    if inner is not None:
        _enter(inner, tail, below)


def cut(value: Any, mask: Mask) -> Any:
    """Only what the mask names; arrays are cut item by item."""
    if isinstance(value, list):
        return [cut(item, mask) for item in value]
    if not isinstance(value, dict) or "*" in mask:
        return value
    kept = {}
    for key, item in value.items():
        if key in mask:
            below = mask[key]
            kept[key] = item if below is None else cut(item, below)
    return kept
