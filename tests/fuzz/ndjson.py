"""Sends a generated value as a body of one line (application/x-ndjson)."""

import json

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def serialize(context, value):
    return json.dumps(value).encode() + b"\n"
