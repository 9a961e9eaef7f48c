"""The body of an answer: the only place where its size ends and its encoding is undone."""

from __future__ import annotations

import re
import zlib
from typing import Any

from ._wire import Response

LONGEST_BODY = 1024 * 1024
"""Bytes. Tokens are a few thousand; a megabyte is an attack or a mistake."""


def answer_of(response: Any, body: bytes, *, decoded: bool = False) -> Response:
    """The answer of an httpx response and its raw body; `decoded` if httpx has decoded it."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    defect = None
    if len(body) <= LONGEST_BODY and not decoded:
        body, defect = _decoded(body, headers.get("content-encoding", "").strip().lower())
    if len(body) > LONGEST_BODY:
        body, defect = body[:LONGEST_BODY], "the body is longer than 1 MiB"
    return Response(status=response.status_code, headers=headers, body=body, defect=defect)


def _decoded(body: bytes, encoding: str) -> tuple[bytes, str | None]:
    """The body without its content coding, one byte past the limit at most, and what is wrong."""
    if encoding in ("", "identity"):
        return body, None
    if encoding not in ("gzip", "x-gzip", "deflate"):
        name = encoding if re.fullmatch(r"[a-z0-9, *-]{1,30}", encoding) else "unreadable"
        return b"", f"the body is in an encoding that was not asked for ({name})"
    headless = encoding == "deflate" and not _has_zlib_header(body)
    window = -zlib.MAX_WBITS if headless else zlib.MAX_WBITS + 32  # 32: gzip or zlib, as it comes
    try:
        return zlib.decompressobj(window).decompress(body, LONGEST_BODY + 1), None
    except zlib.error:
        return b"", f"the body is no valid {encoding}"


def _has_zlib_header(body: bytes) -> bool:
    """RFC 1950 §2.2; many servers send `deflate` without it."""
    return len(body) > 1 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
