"""A signal as the contract has it, wherever it is met."""
from check import fields, is_integer, is_number, is_text, is_time, list_of, one_of, or_null, snake_case_only

REGIMES = (
    "unknown", "stress", "volatile_trending_up", "volatile_trending_down", "volatile_ranging",
    "trending_up", "trending_down", "ranging",
)


def signal_fields(signal):
    fields("signal", signal, {
        "signal_id": is_text, "strategy_id": is_text, "strategy_type": is_text, "strategy_version": is_integer,
        "symbol": is_text, "action": one_of("buy", "sell", "close", "quote"),
        "confidence": lambda value: is_number(value) and 0 <= value <= 1,
        "confidence_basis": one_of("uncalibrated", "calibrated"), "score": or_null(is_number), "price": is_number,
        "price_kind": is_text, "size": or_null(is_number), "stop_loss": or_null(is_number),
        "take_profit": or_null(is_number), "reasons": list_of(is_text), "regime": one_of(*REGIMES),
        "timestamp": is_time, "latency_ms": is_number,
    })
    snake_case_only("signal", signal)
