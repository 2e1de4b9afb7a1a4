"""What the clients say: one JSON line a check, and an exit code that tells whether all held."""
import json
import re
import sys
import time

ISO = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")

failed = 0
count = 0


def check(name, ok, seen=None):
    """One fact; a failure is kept and the client goes on, so that one run shows them all."""
    global failed, count
    count += 1
    if not ok:
        failed += 1
        print(json.dumps({"failed": name, "seen": seen}, default=str)[:1500], flush=True)
    return bool(ok)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_integer(value):
    return isinstance(value, int) and not isinstance(value, bool)


def is_text(value):
    return isinstance(value, str) and value != ""


def is_time(value):
    return isinstance(value, str) and ISO.match(value) is not None


def is_bool(value):
    return isinstance(value, bool)


def is_list(value):
    return isinstance(value, list)


def is_object(value):
    return isinstance(value, dict)


def one_of(*values):
    def test(value):
        return value in values

    return test


def or_null(test):
    return lambda value: value is None or test(value)


def list_of(test):
    return lambda value: isinstance(value, list) and all(test(item) for item in value)


def fields(name, body, wanted):
    """Every field is there and of its type."""
    if not check(f"{name}: an object", isinstance(body, dict), body):
        return
    for field, test in wanted.items():
        there = field in body
        check(f"{name}: has {field}", there, sorted(body))
        if there:
            check(f"{name}: {field} is of its type", test(body[field]), body[field])


def snake_case_only(name, value, path=""):
    """No camelCase name anywhere, except names that a user chose (symbols, ids)."""
    if isinstance(value, dict):
        for key, inner in value.items():
            check(f"{name}: {path}{key} is snake_case", re.search(r"[a-z][A-Z]", str(key)) is None, key)
            snake_case_only(name, inner, f"{path}{key}.")
    elif isinstance(value, list):
        for inner in value[:3]:
            snake_case_only(name, inner, path)


def wait_for(what, test, seconds=15.0):
    """Asks until the answer is true; a fact that does not come true in time is a failure."""
    end = time.monotonic() + seconds
    value = test()
    while not value and time.monotonic() < end:
        time.sleep(0.05)
        value = test()
    check(what, value, value)
    return value


def finish(name):
    print(json.dumps({"client": name, "checks": count, "failures": failed}), flush=True)
    sys.exit(1 if failed else 0)
