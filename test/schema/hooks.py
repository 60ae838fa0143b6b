"""Hooks of Schemathesis: whoever asks is a user with full access, and webhooks are signed."""

import base64
import hashlib
import hmac
import itertools
import json
import os
import time

import schemathesis
from requests.auth import AuthBase

MAX_ID_LENGTH = 1024
SERVER_NAME = os.environ["STAGE_SERVER_NAME"]
USERS = itertools.cycle(json.loads(os.environ["STAGE_USERS"]))
API_KEY = os.environ["STAGE_API_KEY"]
API_SECRET = os.environ["STAGE_API_SECRET"]


def put(container, name, value):
    """Replaces what is good by what is known; what is meant to be refused stays as it is."""
    found = container.get(name) if isinstance(container, dict) else None
    if isinstance(found, str) and 0 < len(found) <= MAX_ID_LENGTH:
        container[name] = value


@schemathesis.hook
def before_call(context, case, kwargs):
    if not isinstance(case.body, dict):
        return
    user = next(USERS)
    put(case.body.get("openid_token"), "access_token", user["token"])
    put(case.body.get("openid_token"), "matrix_server_name", SERVER_NAME)
    put(case.body.get("member"), "claimed_user_id", user["id"])


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
