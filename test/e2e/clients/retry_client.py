"""An integrator who never gives up: one execution after the other, each with its id, retried until it is acknowledged.

The server may be down at the start, killed in between, or without its store: no execution is lost, none counts twice.
Prints `registered` and `acknowledged N` lines so that a harness knows when to pull the plug.
"""
import sys
import time

import requests

from api import BASE
from check import check, finish, is_text

EXECUTIONS = int(sys.argv[1]) if len(sys.argv) > 1 else 60
RUN = str(int(time.time() * 1000) % 100_000_000)
DEADLINE = time.monotonic() + 90


def insist(method, path, body=None, key=None):
    """The same request until it succeeds. Only what can pass is retried: no connection, 503, 504."""
    headers = {"Idempotency-Key": key} if key else {}
    retries = 0
    while True:
        try:
            answer = requests.request(method, BASE + path, json=body, headers=headers, timeout=6)
            if answer.status_code == 200:
                return answer.json(), retries
            error = answer.json()
            check("a failure that can pass", answer.status_code in (503, 504), (answer.status_code, answer.text[:300]))
            check("503 is a ConnectionError, 504 a TimeoutError", error.get("error_type") ==
                  {503: "ConnectionError", 504: "TimeoutError"}.get(answer.status_code), error)
            check("it says when to come back", is_text(answer.headers.get("Retry-After")), dict(answer.headers))
            if answer.status_code not in (503, 504):
                finish("retry")
        except requests.exceptions.Timeout as error:
            check("every request is answered within 5 s", False, error)
        except requests.exceptions.ConnectionError:
            pass
        retries += 1
        if time.monotonic() > DEADLINE:
            check("the server came back", False, (method, path))
            finish("retry")
        time.sleep(0.1)


def main():
    body = {"strategy_type": "trend_following", "symbols": [f"PYB{RUN}USDT"]}
    made, retries = insist("POST", "/api/strategy/register", body, key=f"retry-{RUN}")
    strategy_id = made.get("strategy_id")
    print(f"registered {strategy_id} after {retries} retries", flush=True)
    retried = 0
    for index in range(EXECUTIONS):
        result = {
            "pnl": 0.1 if index % 3 else -0.1, "success": index % 3 != 0, "execution_time_ms": 5,
            "execution_id": f"retry-{RUN}-{index}",
        }
        answer, retries = insist("POST", "/api/performance/track", {"strategy_id": strategy_id, "execution_result": result})
        retried += retries
        check("acknowledged", answer.get("deduplicated") is True, answer)
        print(f"acknowledged {index + 1}", flush=True)
        time.sleep(0.02)
    data, _ = insist("GET", f"/api/performance/{strategy_id}")
    metrics = data.get("metrics", {})
    losses = len([index for index in range(EXECUTIONS) if index % 3 == 0])
    expected = round(0.1 * (EXECUTIONS - 2 * losses), 8)
    check("every execution counts once", metrics.get("executions") == EXECUTIONS, (metrics.get("executions"), EXECUTIONS))
    check("the sum is exact", metrics.get("total_pnl") == expected, (metrics.get("total_pnl"), expected))
    again, _ = insist("POST", "/api/strategy/register", body, key=f"retry-{RUN}")
    check("registering again with the key is the same strategy", again.get("strategy_id") == strategy_id, again)
    print(f"retried {retried} times", flush=True)
    finish("retry")


if __name__ == "__main__":
    main()
