"""httpx without its own command line, which loads click, rich and pygments where they are.

That would double the time to start as soon as something else has brought click along.
httpx has no setting for it; `tests/unit/test_http.py` notices when it is no longer so.
"""

import sys
from typing import Any


_modules: dict[str, Any] = sys.modules
_modules.setdefault("httpx._main", None)  # "not to be had"

import httpx  # noqa: E402 - only now


__all__ = ["httpx"]
