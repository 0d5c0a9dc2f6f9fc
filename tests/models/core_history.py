"""A seeded history through the whole core, with learners that learn from it.

Run as a program it prints digests of what was decided and learned, for comparison between
processes.
"""

import random

from memory_desk import Desk, policy_with

from schemas.codec import chain, encode

TEXTS = ("my card was stolen!!!", "how do I pay", "卡被盗刷了", "refund please, urgent", "fee?")
STEPS = 500


def played(seed: int) -> Desk:
    """Play a history: payments, tickets, labels, verdicts, ticks."""
    draw = random.Random(seed)
    desk = Desk(
        policy=policy_with(
            alerts__warm_up=20,
            lessons__implicit_share=0.7,
            asking__share=0.3,
            priority__mood_labels=10,
        )
    )
    for step in range(STEPS):
        minutes = step * 20.0
        other = draw.randrange(max(1, step))
        customer, others = f"c{step % 6}", f"c{other % 6}"
        match draw.randrange(10):
            case 0 | 1:
                desk.ticket(
                    minutes, f"k{step}", text=draw.choice(TEXTS), customer_id=customer,
                    transaction_ids=[f"s{step - 1}", f"s{step - 2}", f"s{step - 3}"],
                )  # fmt: skip
            case 2:
                desk.feedback(
                    minutes, "transaction", transaction_id=f"s{other}",
                    is_fraud=draw.random() < 0.5, customer_id=others,
                )  # fmt: skip
            case 3:
                desk.feedback(
                    minutes, "ticket", ticket_id=f"k{other}", customer_id=others,
                    category=draw.choice(["card", "fees", "refund"]),
                    mood=draw.choice(["angry", "neutral", None]),
                )  # fmt: skip
            case 4:
                desk.tick(minutes)
            case _:
                desk.transaction(
                    minutes, draw.uniform(1, 900), transaction_id=f"s{step}",
                    customer_id=customer, terminal_id=f"x{draw.randrange(5)}",
                    device_id=f"d{draw.randrange(9)}",
                )  # fmt: skip
    return desk


def digests(seed: int = 11) -> list[str]:
    """Give the digest of all records, of the lessons' chain, and of what was learned."""
    desk, records = played(seed), "0" * 32
    for record in desk.records:
        records = chain(records, encode(record))
    return [records, desk.learners.digest, desk.learners.content_digest()]


if __name__ == "__main__":
    print("\n".join(digests()))
