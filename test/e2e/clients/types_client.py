"""An integrator who picks a family: each of the six can be registered, and so can the members of its description."""
import time

from api import good
from check import check, finish, is_text

SYMBOL = f"PYT{int(time.time() * 1000) % 100_000_000}USDT"
FAMILIES = ("trend_following", "statistical_arbitrage", "market_making", "news_driven", "htf", "arbitrage_based")


def main():
    types = good("GET", "/api/strategy/types").get("types", [])
    known = {each.get("type"): each for each in types}
    for family in FAMILIES:
        if not check(f"the family {family} is a type", family in known, sorted(known)):
            continue
        members = [each for each in types if each.get("family") == family and each.get("type") != family]
        check(f"{family} has three members", len(members) == 3, [each.get("type") for each in members])
    for name in known:
        made = good("POST", "/api/strategy/register", {"strategy_type": name, "symbols": [SYMBOL, SYMBOL + "2", SYMBOL + "3"]})
        check(f"{name} can be registered", is_text(made.get("strategy_id")), made)
        if made.get("strategy_id"):
            good("DELETE", f"/api/strategy/{made['strategy_id']}")
    finish("types")


if __name__ == "__main__":
    main()
