"""The engine's HTTP API as an integrator would wrap it."""
import os

import requests

from check import check, is_list, is_text, is_time

BASE = os.environ.get("API_URL", "http://localhost:8000")
session = requests.Session()


def call(method, path, body=None, headers=None, **rest):
    """One request; every answer comes within 5 s and is JSON."""
    answer = session.request(method, BASE + path, json=body, headers=headers, timeout=6, **rest)
    check(f"{method} {path}: answered within 5 s", answer.elapsed.total_seconds() <= 5, answer.elapsed)
    kind = answer.headers.get("Content-Type", "")
    check(f"{method} {path}: is JSON", kind.startswith("application/json"), (answer.status_code, kind))
    check(f"{method} {path}: has a request id", is_text(answer.headers.get("X-Request-Id")), dict(answer.headers))
    return answer


def json_of(name, answer):
    try:
        return answer.json()
    except ValueError:
        check(f"{name}: the body is JSON", False, answer.text[:300])
        return {}


def good(method, path, body=None, headers=None, **rest):
    """A call that must succeed: HTTP 200 and `"status": "success"`."""
    answer = call(method, path, body, headers, **rest)
    name = f"{method} {path}"
    data = json_of(name, answer)
    check(f"{name}: HTTP 200", answer.status_code == 200, (answer.status_code, answer.text[:500], body))
    check(f"{name}: status success", data.get("status") == "success", data)
    return data


def bad(name, answer, status, error_type):
    """A call that must fail, with the contract's error body."""
    data = json_of(name, answer)
    check(f"{name}: HTTP {status}", answer.status_code == status, (answer.status_code, answer.text[:500]))
    check(f"{name}: {error_type}", data.get("error_type") == error_type, data)
    check(f"{name}: status error", data.get("status") == "error", data)
    check(f"{name}: a message", is_text(data.get("message")), data)
    check(f"{name}: details", is_list(data.get("details")) and len(data["details"]) <= 20, data)
    check(f"{name}: a time", is_time(data.get("timestamp")), data)
    check(f"{name}: a request id", is_text(data.get("request_id")), data)
    check(f"{name}: the header's request id", data.get("request_id") == answer.headers.get("X-Request-Id"), data)
    text = answer.text
    check(f"{name}: no stack, no path of ours", "    at " not in text and "node_modules" not in text, text[:300])
    return data
