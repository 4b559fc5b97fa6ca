"""The API's description for people, made from its OpenAPI document, so that the two never differ."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from healthpilot.portals.openapi import COMMON, Api

Told = Mapping[str, Any]


@dataclass(frozen=True)
class Parameter:
    """One line of a route's parameters."""

    name: str
    kind: str
    required: bool
    description: str


@dataclass(frozen=True)
class Answer:
    """One status a route answers with, what its body holds, and an example where there is one."""

    status: str
    reason: str
    body: str
    example: str

    @property
    def is_common(self) -> bool:
        """A plain refusal that any route may answer, which need not be told with each."""
        return int(self.status) in COMMON and self.body == "error"


@dataclass(frozen=True)
class Route:
    """One operation as the page shows it."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    scope: str
    role: str
    curl: str
    parameters: list[Parameter]
    answers: list[Answer]


@dataclass(frozen=True)
class Reference:
    """The whole: the tags, each with its routes in order, and the refusals that any route may answer."""

    tags: list[tuple[Told, list[Route]]]
    refusals: list[Answer]


def reference(api: Api, *, base: str) -> Reference:
    """Return the document as the page shows it.

    Args:
        base: scheme and host of the site, for the lines to copy.
    """
    document = json.loads(json.dumps(api.get_openapi_schema(), default=str))
    found = list(every(document, base))
    refusals = {one.status: one for _, route in found for one in route.answers if one.is_common}
    return Reference(
        [(tag, [route for name, route in found if name == tag["name"]]) for tag in document["tags"]],
        sorted(refusals.values(), key=lambda one: one.status),
    )


def every(document: Told, base: str) -> Iterator[tuple[str, Route]]:
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            yield told["tags"][0], route_of(document, path, method, told, base)


def route_of(document: Told, path: str, method: str, told: Told, base: str) -> Route:
    allowed = {name: allowed for one in told.get("security", []) for name, allowed in one.items()}
    return Route(
        anchor=told["operationId"],
        method=method.upper(),
        path=path,
        summary=told["summary"],
        description=told.get("description", ""),
        scope=next((scopes[0] for name, scopes in allowed.items() if "Token" in name), ""),
        role=next((roles[0] for name, roles in allowed.items() if "Session" in name), ""),
        curl=curl(document, path, method, told, base),
        parameters=[parameter_of(one) for one in told.get("parameters", [])],
        answers=[answer_of(document, status, one) for status, one in sorted(told["responses"].items())],
    )


def parameter_of(told: Told) -> Parameter:
    return Parameter(told["name"], kind_of(told["schema"]), told["required"], told.get("description", ""))


def kind_of(schema: Told) -> str:
    """Return a parameter's type with its bounds, such as 'integer, 1 to 366'."""
    one = next((other for other in schema.get("anyOf", []) if other.get("type") != "null"), schema)
    kind = {"date": "day"}.get(one.get("format", ""), one.get("type", "any"))
    if "minimum" in one and "maximum" in one:
        kind += f", {one['minimum']} to {one['maximum']}"
    elif "minimum" in one:
        kind += f", from {one['minimum']}"
    if "maxLength" in one:
        kind += f", up to {one['maxLength']} characters"
    default = schema.get("default")
    return f"{kind}; {default} unless given" if default not in (None, "") else kind


def answer_of(document: Told, status: str, told: Told) -> Answer:
    content: Told = next(iter(told.get("content", {}).values()), {})
    example = content.get("example")
    return Answer(
        status,
        HTTPStatus(int(status)).phrase,
        ", ".join(fields_of(document, content.get("schema", {}))),
        json.dumps(example, indent=2, ensure_ascii=False) if example else "",
    )


def fields_of(document: Told, schema: Told) -> list[str]:
    """Return the names a body has at its top."""
    one = described(document, schema)
    if "anyOf" in one:
        return fields_of(document, one["anyOf"][0])
    return list(one.get("properties", {}))


def described(document: Told, schema: Told) -> Told:
    """Return a schema itself where another place is named for it."""
    if "$ref" not in schema:
        return schema
    found: Told = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return found


def curl(document: Told, path: str, method: str, told: Told, base: str) -> str:
    """Return a line that works once TOKEN is set."""
    asked = "&".join(f"{name}={value}" for name, value in samples(told))
    place = re.sub(r"{\w+}", "1", path)
    url = shlex.quote(f"{base}{place}{'?' if asked else ''}{asked}")
    line = 'curl -H "Authorization: Bearer $TOKEN"'
    body = told.get("requestBody")
    if method == "get" or not body:
        return f"{line} {url}"
    kind, content = next(iter(body["content"].items()))
    example = content.get("example") or described(document, content["schema"]).get("example", {})
    sent = example if isinstance(example, str) else json.dumps(example)
    return f"{line} -H 'Content-Type: {kind}' \\\n  --data-binary {shlex.quote(sent.strip())} \\\n  {url}"


def samples(told: Told) -> Iterator[tuple[str, str]]:
    """Yield the parameters that an example needs, and the range, which most people change first."""
    for one in told.get("parameters", []):
        if one["name"] == "days":
            yield "days", "7"
        elif one["required"]:
            yield one["name"], "u1"
