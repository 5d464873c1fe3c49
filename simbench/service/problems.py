"""Returns errors of requests as problem+json that names the field at fault."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from simbench.base.errors import BadInput, Trouble
from simbench.service.log import EventLog
from simbench.service.records import Problem

MEDIA_TYPE = "application/problem+json"

AT_FAULT = {400: ("the body cannot be read as JSON", "body"), 413: ("body too long", "body")}

_SCHEMA = Problem.model_json_schema()
RESPONSES: dict[int | str, dict[str, Any]] = {
    key: {"description": text, "content": {MEDIA_TYPE: {"schema": _SCHEMA}}}
    for key, text in (("4XX", "The request is at fault"), ("5XX", "The bench is in trouble"))
}


class Refusal(Exception):
    """A refused request: the reason, and the field at fault."""

    def __init__(self, status: int, detail: str, field: str = "") -> None:
        self.status, self.detail, self.field = status, detail, field
        super().__init__(detail)


def problem(status: int, detail: str = "", field: str = "", errors: list[dict[str, str]] | None = None) -> JSONResponse:
    """Return the response."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, field=field, errors=errors or [])
    return JSONResponse(body.model_dump(), status, media_type=MEDIA_TYPE)


def install(app: FastAPI, log: EventLog) -> None:
    """Convert every error of the app to a problem response, and log it."""

    def refused(request: Request, answer: JSONResponse, field: str = "") -> JSONResponse:
        peer = request.client.host if request.client else ""
        path = request.url.path[:200]
        log.event("request refused", status=answer.status_code, peer=peer, path=path, field=field)
        return answer

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        if any(one["type"] == "model_attributes_type" for one in error.errors()) and not _is_json(request):
            detail = "the body is not declared as JSON; send Content-Type: application/json"
            return refused(request, problem(422, detail, "body"), "body")
        errors = [{"field": _place(one["loc"]), "problem": str(one["msg"])} for one in error.errors()][:20]
        first = errors[0] if errors else {"field": "", "problem": ""}
        return refused(request, problem(422, first["problem"], first["field"], errors), first["field"])

    @app.exception_handler(Refusal)
    async def _refused(request: Request, error: Refusal) -> JSONResponse:
        return refused(request, problem(error.status, error.detail, error.field), error.field)

    @app.exception_handler(BadInput)
    async def _bad(request: Request, error: BadInput) -> JSONResponse:
        return refused(request, problem(422, str(error), error.place), error.place)

    @app.exception_handler(Trouble)
    async def _trouble(request: Request, error: Trouble) -> JSONResponse:
        del error
        text = "the machine lacks a resource; the server's standard error names it"
        return refused(request, problem(503, text))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        # The library gives no useful reason: 400 always means a body that cannot be read.
        detail, field = AT_FAULT.get(error.status_code, (HTTPStatus(error.status_code).description, ""))
        answer = problem(error.status_code, detail, field)
        answer.headers.update(error.headers or {})
        return refused(request, answer, field)

    @app.exception_handler(Exception)
    async def _broken(request: Request, error: Exception) -> JSONResponse:
        del error
        return refused(request, problem(500))


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().endswith("json")


def _place(loc: tuple[int | str, ...]) -> str:
    """Return "body.text" for ("body", "text"); a position in broken JSON becomes "body"."""
    return ".".join(str(part) for part in loc if not (loc[0] == "body" and isinstance(part, int))) or "body"
