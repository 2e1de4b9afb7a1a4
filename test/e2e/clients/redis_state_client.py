"""An operator who looks where the state is: with REDIS_URL, log and snapshots are in that Redis."""
import os

import redis

from api import good
from check import check, finish


def main():
    client = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
    good("POST", "/api/strategy/register", {"strategy_type": "trend_following", "symbols": ["PYSTATEUSDT"]})
    keys = list(client.scan_iter(match="strategy_engine:{*}:*", count=1000))
    state = [key for key in keys if not key.endswith(":signal_ids")]
    check("log and snapshots are in this Redis", len(state) > 0, keys)
    check("under one hash slot", len({key.partition("}")[0] for key in keys}) == 1, keys)
    durability = str(good("GET", "/api/strategy_engine/summary").get("durability"))
    check("the summary says what Redis keeps", "redis" in durability.lower(), durability)
    finish("redis state")


if __name__ == "__main__":
    main()
