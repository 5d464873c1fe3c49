"""A client of the API whose time limits judge no machine."""

from __future__ import annotations

from simbench.service.client import ApiClient

PATIENCE_S = 300.0  # beyond what a request may take on a quiet machine


class PatientClient(ApiClient):
    """An ApiClient that waits as long as a busy machine may take."""

    CONNECT_S = ANSWER_S = PATIENCE_S
