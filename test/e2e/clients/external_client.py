"""An integrator whose strategy lives elsewhere: its signals come in over HTTP and meet the engine's gates and sizing."""
import time

from api import bad, call, good
from check import check, finish, is_bool, is_object
from signals import signal_fields

RUN = str(int(time.time() * 1000) % 100_000_000)
SYMBOL = f"PYE{RUN}USDT"


def main():
    made = good("POST", "/api/strategy/register", {"strategy_type": "external", "symbols": [SYMBOL]})
    path = f"/api/strategy/{made.get('strategy_id')}/signal"
    sent = good("POST", path, {"symbol": SYMBOL, "action": "buy", "confidence": 0.9, "price": 50000, "stop_loss": 49000, "id": RUN})
    check("external: accepted, with the signal or the reason", is_bool(sent.get("accepted")) and
          (is_object(sent.get("signal")) if sent.get("accepted") else bool(sent.get("reason"))), sent)
    if sent.get("accepted"):
        signal_fields(sent["signal"])
        performance = good("GET", f"/api/performance/{made.get('strategy_id')}")
        check("external: no executions, null and not 0", performance.get("metrics", {}).get("success_rate", 0) is None, performance)
    bad("external: unknown action", call("POST", path, {"symbol": SYMBOL, "action": "hodl"}), 422, "ValueError")
    finish("external")


if __name__ == "__main__":
    main()
