"""Hooks of Schemathesis.

Whoever asks is a user with full access, webhooks are signed, and the homeserver calls for members of a room
and has the right token.
"""

import base64
import hashlib
import hmac
import itertools
import json
import os
import time
from collections.abc import Mapping

import schemathesis
from requests.auth import AuthBase
from schemathesis.core.parameters import ParameterLocation

MAX_ID_LENGTH = 1024
SERVER_NAME = os.environ["STAGE_SERVER_NAME"]
USERS = itertools.cycle(json.loads(os.environ["STAGE_USERS"]))
API_KEY = os.environ.get("STAGE_API_KEY", "")
API_SECRET = os.environ.get("STAGE_API_SECRET", "")
OTHER_SERVER_NAME = os.environ.get("STAGE_OTHER_SERVER_NAME", "")
ROOM = os.environ.get("STAGE_ROOM", "")
SFU_URL = os.environ.get("STAGE_SFU_URL", "")
HS_TOKEN = os.environ.get("STAGE_HS_TOKEN", "")
PATH_STEPS = (".", "..")
SERVERS = itertools.cycle([SERVER_NAME, OTHER_SERVER_NAME])


def put(container, name, value):
    """Replaces what is good by what is known; what is meant to be refused stays as it is."""
    found = container.get(name) if isinstance(container, Mapping) else None
    if isinstance(found, str) and 0 < len(found) <= MAX_ID_LENGTH:
        container[name] = value


def put_id(container, name, value):
    """The same for what becomes a step of a path."""
    if container.get(name) not in PATH_STEPS:
        put(container, name, value)


def has_wrong_headers(case):
    """Whether they are meant to be refused, such as by the lack of one that is required."""
    return case.meta is not None and case.meta.is_negative_at(ParameterLocation.HEADER)


def put_client(body, user):
    """The body of a client with an OpenID token."""
    put(body.get("openid_token"), "access_token", user["token"])
    put(body.get("openid_token"), "matrix_server_name", SERVER_NAME)
    put(body.get("member"), "claimed_user_id", user["id"])


def put_member(case, body, user):
    """A call of the homeserver for a member."""
    if not has_wrong_headers(case):
        put(case.headers, "X-Matrix-User-Identifier", user["id"])
        put(case.headers, "X-Matrix-Origin", OTHER_SERVER_NAME)
    put(body, "user_id", user["foreign_id"])
    put(body, "url", SFU_URL)
    put(body, "server_name", next(SERVERS))
    put_id(body, "room_id", ROOM)
    put_id(body, "delay_id", user["delay_id"])


@schemathesis.hook
def before_call(context, case, kwargs):
    user = next(USERS)
    body = case.body if isinstance(case.body, dict) else {}
    if case.operation.path.startswith("/_matrix/"):
        put_member(case, body, user)
    else:
        put_client(body, user)


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


class SignedAsBySfu(AuthBase):
    """Signs a request as LiveKit signs its webhooks."""

    def __call__(self, request):
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        claims = {"iss": API_KEY, "exp": int(time.time()) + 300, "sha256": digest}
        head = encoded(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
        unsigned = head + b"." + encoded(json.dumps(claims).encode())
        signature = hmac.new(API_SECRET.encode(), unsigned, hashlib.sha256).digest()
        request.headers["Authorization"] = (unsigned + b"." + encoded(signature)).decode()
        return request


schemathesis.auth.set_from_requests(SignedAsBySfu()).apply_to(path="/sfu_webhook")


@schemathesis.auth().apply_to(path_regex="^/_matrix/")
class HomeserverToken:
    """Sends the token of the homeserver, unless it is the headers that are meant to be refused."""

    def get(self, case, context):
        return HS_TOKEN

    def set(self, case, data, context):
        if not has_wrong_headers(case):
            case.headers["Authorization"] = f"Bearer {data}"
