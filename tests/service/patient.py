"""A client of the API whose time limits judge no machine."""

from __future__ import annotations

from typing import Any

from simbench.service.client import ApiClient

PATIENCE_S = 300.0  # beyond what a request may take on a quiet machine


class PatientClient(ApiClient):
    """An ApiClient that waits as long as a busy machine may take."""

    def __init__(self, url: str, **more: Any) -> None:
        super().__init__(url, **more)
        self._http.timeout = PATIENCE_S

    def _ask(self, *request: Any, timeout_s: float = 0, **more: Any) -> Any:
        return super()._ask(*request, timeout_s=timeout_s + PATIENCE_S, **more)
