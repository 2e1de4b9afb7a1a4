"""An integrator on Redis: ticks in over `strategy_engine_input`, signals out over channel and stream."""
import json
import os
import time

import redis

from api import good
from check import check, finish, is_number, wait_for
from signals import signal_fields

RUN = str(int(time.time() * 1000) % 100_000_000)
SYMBOL = f"PYR{RUN}USDT"
# Ticks of now would make bars of the past late, so these have a symbol of their own.
BAR_SYMBOL = f"PYRB{RUN}USDT"
INPUT = "strategy_engine_input"


def bars(count, price_of, start):
    """Closed minute bars of the past: sent now, they are not old."""
    made = []
    for index in range(count):
        before, price = price_of(max(0, index - 1)), price_of(index)
        made.append({
            "symbol": BAR_SYMBOL, "open": before, "high": max(before, price) + 1, "low": min(before, price) - 1,
            "close": price, "volume": 10, "timeframe": "1m", "timestamp": start + 60 * index,
        })
    return made


def waves(index):
    """Up for an hour, down for an hour: every crossover strategy has something to say."""
    phase = index % 120
    return 10_000 + 20 * (phase if phase < 60 else 120 - phase)


def accepted_total():
    return good("GET", "/api/strategy_engine/summary").get("throughput", {}).get("ticks_total", 0)


def main():
    client = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
    listener = client.pubsub(ignore_subscribe_messages=True)
    listener.subscribe("strategy_engine_output")
    check("the input channel is subscribed", client.publish(INPUT, json.dumps({"symbol": SYMBOL, "price": 10_000})) >= 1)

    made = good("POST", "/api/strategy/register", {
        "strategy_type": "moving_average_crossover", "symbols": [BAR_SYMBOL], "timeframe": "1m", "allow_short": True,
    })
    strategy_id = made.get("strategy_id")

    before = accepted_total()
    check("the summary counts ticks", is_number(before), before)
    client.publish(INPUT, json.dumps({"symbol": SYMBOL, "price": 10_000, "volume": 1, "timestamp": time.time()}))
    client.publish(INPUT, json.dumps([{"symbol": SYMBOL, "price": 10_000}, {"symbol": SYMBOL, "price": 10_001}]))
    client.publish(INPUT, json.dumps({"market_data": [{"symbol": SYMBOL, "price": 10_000.5}]}))
    wait_for("four ticks in three forms are counted", lambda: accepted_total() >= before + 4)

    sent = bars(600, waves, 1_700_000_040)
    for index in range(0, len(sent), 100):
        client.publish(INPUT, json.dumps({"market_data": sent[index:index + 100]}))

    heard = []

    def hear():
        message = listener.get_message(timeout=0.2)
        if message:
            heard.append(json.loads(message["data"]))
        return any(each.get("strategy_id") == strategy_id for each in heard)

    wait_for("a signal on the channel", hear)
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        hear()
    mine = [each for each in heard if each.get("strategy_id") == strategy_id]
    for each in mine[:3]:
        signal_fields(each)
        check("signal: of the symbol", each.get("symbol") == BAR_SYMBOL, each)
    ids = [each.get("signal_id") for each in heard]
    check("no signal came twice on the channel", len(ids) == len(set(ids)), ids)
    entries = client.xrange("strategy_engine:signals")
    streamed = [json.loads(entry["data"]) for _, entry in entries]
    stream_ids = [each.get("signal_id") for each in streamed]
    check("no signal is twice in the stream", len(stream_ids) == len(set(stream_ids)), stream_ids)
    check("what came on the channel is in the stream", set(ids) <= set(stream_ids), (ids, stream_ids))
    by_id = {each.get("signal_id"): each for each in streamed}
    check("channel and stream say the same", all(by_id.get(each.get("signal_id")) == each for each in heard))

    rubbish = f"not json {RUN} {'x' * 10_000}"
    client.publish(INPUT, rubbish)
    client.publish(INPUT, json.dumps({"symbol": SYMBOL, "price": -1, "id": RUN}))

    def dead_letters():
        letters = [entry for _, entry in client.xrange("strategy_engine:rejected")]
        raw = [entry for entry in letters if entry.get("data", "").startswith(f"not json {RUN}")]
        priced = [entry for entry in letters if f'"id": "{RUN}"' in entry.get("data", "")]
        return bool(raw and priced) and (raw[0], priced[0])

    letters = wait_for("what is refused becomes a dead letter", dead_letters)
    if letters:
        check("dead letter: cut at 4 KiB", len(letters[0]["data"].encode()) <= 4096, len(letters[0]["data"]))
        check("dead letter: why", "price" in json.dumps(letters[1]), letters[1])
        check("dead letter: when", any("T" in value and value.endswith("Z") for value in letters[0].values()), letters[0])

    summary = good("GET", "/api/strategy_engine/summary")
    check("the summary names redis", "redis" in json.dumps(summary.get("components", {})).lower(), summary.get("components"))
    finish("redis")


if __name__ == "__main__":
    main()
