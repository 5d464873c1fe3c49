"""Whatever goes wrong in a request as problem+json with the field at fault. Tells nothing of our insides."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from simbench.errors import BadInput, Trouble
from simbench.service.records import Problem

MEDIA_TYPE = "application/problem+json"

_SCHEMA = Problem.model_json_schema()
RESPONSES: dict[int | str, dict[str, Any]] = {
    key: {"description": text, "content": {MEDIA_TYPE: {"schema": _SCHEMA}}}
    for key, text in (("4XX", "The request is at fault"), ("5XX", "The bench is in trouble"))
}


class Refusal(Exception):
    """A request that is refused: what is wrong, with which field."""

    def __init__(self, status: int, detail: str, field: str = "") -> None:
        self.status, self.detail, self.field = status, detail, field
        super().__init__(detail)


def problem(status: int, detail: str = "", field: str = "", errors: list[dict[str, str]] | None = None) -> JSONResponse:
    """The answer that says so."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, field=field, errors=errors or [])
    return JSONResponse(body.model_dump(), status, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let every error of the app become a problem."""

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        errors = [{"field": _place(one["loc"]), "problem": str(one["msg"])} for one in error.errors()][:20]
        first = errors[0] if errors else {"field": "", "problem": ""}
        return problem(422, first["problem"], first["field"], errors)

    @app.exception_handler(Refusal)
    async def _refused(_: Request, error: Refusal) -> JSONResponse:
        return problem(error.status, error.detail, error.field)

    @app.exception_handler(BadInput)
    async def _bad(_: Request, error: BadInput) -> JSONResponse:
        return problem(422, str(error), error.place)

    @app.exception_handler(Trouble)
    async def _trouble(_: Request, error: Trouble) -> JSONResponse:
        del error
        return problem(503, "the machine does not give what is needed; the server's standard error says what")

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        answer = problem(error.status_code, HTTPStatus(error.status_code).description)
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def _broken(_: Request, error: Exception) -> JSONResponse:
        del error
        return problem(500)


def _place(loc: tuple[int | str, ...]) -> str:
    """ "body.text" of ("body", "text"); a place in broken JSON is told as the body."""
    return ".".join(str(part) for part in loc if not (loc[0] == "body" and isinstance(part, int))) or "body"
