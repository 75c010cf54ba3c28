"""Compares what filters and patches of SCIM mean here with what they mean to scim2-models.

Users, filters and patches are random; SEED makes the same ones again. What has more than one answer is
not asked: `operations` says where that is.
"""

import json
import os
import random
import subprocess
import sys
from typing import Any

from pydantic import ValidationError
from scim2_models import (
    Context,
    EnterpriseUser,
    PatchOp,
    SCIMException,
    ScimFilter,
    ScimPolicy,
    User,
)

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
QUESTIONS = 4000

Model = User[EnterpriseUser]
# As this service reads what clients are known to send.
POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)

seed = int(os.environ.get("SEED") or random.randrange(1 << 32))
dice = random.Random(seed)

TEXTS = [
    "ada",
    "Ada",
    "ADA@example.com",
    "a",
    "ä",
    "Ä",
    "Z",
    'q"u.o:t[e]\\',
    "work",
    "home",
    "other",
]
EMAILS = ["ada@example.com", "ADA@example.com", "b@example.org", "Z.q+1@example.com"]
TYPES = ["work", "home", "other"]
TIMES = ["2011-05-13T04:42:34Z", "2011-05-13T06:42:34+02:00", "2024-01-01T00:00:00.5Z"]
SINGLE = [
    "userName",
    "displayName",
    "nickName",
    "title",
    "externalId",
    "name.givenName",
    f"{ENTERPRISE}:department",
    f"{CORE}:userType",
]
MANY = ["emails", "phoneNumbers", "roles"]


def text() -> str:
    return dice.choice(TEXTS)


def value() -> dict[str, Any]:
    one: dict[str, Any] = {"value": dice.choice(EMAILS)}
    if dice.random() < 0.7:
        one["type"] = dice.choice(TYPES)
    return one


def values() -> list[dict[str, Any]]:
    """Values that differ, of which one may be primary."""
    many: list[dict[str, Any]] = []
    for one in (value() for _ in range(dice.randrange(1, 4))):
        if all(one["value"].lower() != other["value"].lower() for other in many):
            many.append(one)
    if dice.random() < 0.5:
        dice.choice(many)["primary"] = True
    return many


def user() -> dict[str, Any]:
    made: dict[str, Any] = {"schemas": [CORE], "id": "7", "userName": text()}
    for name in ["displayName", "nickName", "title", "externalId", "userType"]:
        if dice.random() < 0.5:
            made[name] = text()
    if dice.random() < 0.7:
        made["active"] = dice.random() < 0.5
    if dice.random() < 0.5:
        made["name"] = {"givenName": text()}
    for name in MANY:
        if dice.random() < 0.6:
            made[name] = values()
    if dice.random() < 0.5:
        made[ENTERPRISE] = {"department": text()}
        made["schemas"].append(ENTERPRISE)
    made["meta"] = {"resourceType": "User", "created": dice.choice(TIMES)}
    return made


def case(word: str) -> str:
    return dice.choice([word, word.upper(), word.capitalize()])


def comparison(names: list[str]) -> str:
    name = dice.choice(names)
    operator = dice.choice(["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"])
    return f"{name} {case(operator)} {json.dumps(text())}"


def condition(depth: int) -> str:
    kind = dice.randrange(9 if depth else 6)
    if kind == 0:
        return f"{dice.choice(SINGLE + MANY + ['active', 'meta.created'])} {case('pr')}"
    if kind == 1:
        return f"active {dice.choice(['eq', 'ne'])} {dice.choice(['true', 'false'])}"
    if kind == 2:
        operator = dice.choice(["eq", "ne", "gt", "ge", "lt", "le"])
        return f"meta.created {operator} {json.dumps(dice.choice(TIMES))}"
    if kind == 3:
        name, operator = dice.choice(MANY), dice.choice(["eq", "co", "sw", "ew", "gt", "le"])
        sub = dice.choice(["", ".value", ".type"])
        # scim2-models compares whole emails with emails alone.
        other = dice.choice(EMAILS) if operator in ("eq", "gt", "le") and sub != ".type" else text()
        return f"{name}{sub} {operator} {json.dumps(other)}"
    if kind == 4:
        inner = " and ".join(
            dice.choice([comparison(["type", "display"]), "primary eq true", "not (type pr)"])
            for _ in range(dice.randrange(1, 3))
        )
        return f"{dice.choice(MANY)}[{inner}]"
    if kind == 5:
        return comparison(SINGLE)
    one, other = condition(depth - 1), condition(depth - 1)
    return [f"not ({one})", f"({one} {case('or')} {other})", f"{one} {case('and')} {other}"][
        kind - 6
    ]


def operations(of: dict[str, Any]) -> list[dict[str, Any]]:
    """Operations that mean the same to both. To some others there is more than one answer: here,
    `replace` makes no whole value (RFC 7644, section 3.5.2.3), a value that is added is merged with
    one of the same address, and what has lost its address is gone."""
    made: list[dict[str, Any]] = []
    for _ in range(dice.randrange(1, 4)):
        name, many = dice.choice(SINGLE[1:]), dice.choice(MANY)
        type_, new = dice.choice(TYPES), address()
        new["type"] = type_
        add = case(dice.choice(["add", "replace"]))
        chosen = f'{many}[type eq "{type_}"]'
        made.append(
            dice.choice(
                [
                    {"op": add, "path": name, "value": text()},
                    {"op": case("remove"), "path": name},
                    {"op": add, "path": many, "value": addresses()},
                    {"op": case("remove"), "path": many},
                    {
                        "op": case("remove"),
                        "path": many,
                        "value": dice.sample(of.get(many) or [new], 1),
                    },
                    {"op": add, "path": f"{chosen}.value", "value": new["value"]},
                    {"op": add, "path": f"{chosen}.display", "value": text()},
                    {"op": case("remove"), "path": f"{chosen}.display"},
                    {"op": case("add"), "path": chosen, "value": new},
                    {"op": case("remove"), "path": chosen},
                    {
                        "op": add,
                        "path": "name",
                        "value": {dice.choice(["givenName", "familyName"]): text()},
                    },
                    {"op": add, "path": ENTERPRISE, "value": {"costCenter": text()}},
                    {"op": case("remove"), "path": ENTERPRISE},
                    {
                        "op": add,
                        "value": {
                            name: text(),
                            many: addresses(),
                            "active": dice.choice([True, "False"]),
                        },
                    },
                ]
            )
        )
    if dice.random() < 0.1:
        # One alone, as which one is told is up to each.
        made.append(
            dice.choice(
                [
                    {"op": "add", "path": "id", "value": "8"},
                    {"op": "replace", "path": "name.givenName", "value": 1},
                    {"op": "remove", "path": "userName"},
                    {
                        "op": "replace",
                        "path": 'roles[type eq "nosuch" or type eq "none"].value',
                        "value": "x",
                    },
                ]
            )
        )
    return made


def address() -> dict[str, Any]:
    """A value that no user has yet."""
    return {"value": f"{dice.getrandbits(48)}@example.com"}


def addresses() -> list[dict[str, Any]]:
    many = [address() for _ in range(dice.randrange(1, 4))]
    if dice.random() < 0.5:
        dice.choice(many)["primary"] = True
    return many


def matched(filter_: str, of: dict[str, Any]) -> Any:
    try:
        found = ScimFilter[Model](filter_)
        return found.match(Model.model_validate(of), strict=True)
    except (SCIMException, ValidationError):
        return "invalidFilter"


def patched(patch: dict[str, Any], of: dict[str, Any]) -> Any:
    resource = Model.model_validate(of)
    try:
        with POLICY:
            read = PatchOp[Model].model_validate(patch, scim_ctx=Context.RESOURCE_PATCH_REQUEST)
            read.patch(resource)
    except SCIMException as error:
        return error.scim_type
    except ValidationError as error:
        known = error.errors()[0]["type"]
        return known.removeprefix("scim_") if known.startswith("scim_") else "invalidValue"
    return plain(json.loads(resource.model_dump_json(by_alias=True, exclude_none=True)))


def plain(of: Any) -> Any:
    """What a user is, without what says the same: empty values, what is not primary, the schemas."""
    if isinstance(of, dict):
        kept = {name: plain(one) for name, one in of.items() if name not in ("schemas", "meta")}
        return {
            name: one
            for name, one in kept.items()
            if one not in ({}, [], None) and (name, one) != ("primary", False)
        }
    if isinstance(of, list):
        return sorted(
            (one for one in map(plain, of) if one), key=lambda one: json.dumps(one, sort_keys=True)
        )
    return of


questions: list[tuple[dict[str, Any], Any]] = []
for _ in range(QUESTIONS):
    asked: dict[str, Any] = {"user": user()}
    if dice.random() < 0.5:
        asked["filter"] = condition(3)
        expected = matched(asked["filter"], asked["user"])
    else:
        asked["patch"] = {"schemas": [PATCH], "Operations": operations(asked["user"])}
        expected = patched(asked["patch"], asked["user"])
    questions.append((asked, expected))

lines = "\n".join(json.dumps(asked) for asked, _ in questions)
ran = subprocess.run([sys.argv[1]], input=lines, capture_output=True, text=True, check=True)
answers = [json.loads(line) for line in ran.stdout.splitlines()]
assert len(answers) == QUESTIONS
wrong = 0
for (asked, expected), found in zip(questions, answers):
    if isinstance(found, dict):
        found = plain(found)
    if found != expected:
        wrong += 1
        if wrong <= 20:
            print(
                json.dumps(asked),
                f"seed {seed}",
                f"here:  {json.dumps(found)}",
                f"there: {json.dumps(expected)}",
                sep="\n",
                end="\n\n",
            )
print(f"{QUESTIONS} questions, {wrong} answers differ")
sys.exit(wrong > 0)
