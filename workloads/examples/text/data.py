"""Makes letters to a help desk, each with the team that answers it; puts them into the object store as JSON lines."""

from __future__ import annotations

import json
import random

from put import put

OPENINGS = ("Hello,", "Good morning,", "Dear team,", "Hi there,", "")
TOPICS = {
    "billing": (
        "the invoice of {month} has a wrong amount",
        "I was charged twice in {month}",
        "please refund my payment",
        "my credit card was declined although it is valid",
        "where do I find the receipt for {month}",
    ),
    "access": (
        "I can't log in since {month}",
        "my password reset mail never arrives",
        "two factor codes are refused",
        "please unlock my account",
        "the single sign-on page shows an error",
    ),
    "delivery": (
        "my parcel has not arrived since {month}",
        "the courier left the package with a neighbour",
        "tracking shows no progress",
        "the box was damaged on arrival",
        "please change the shipping address",
    ),
}
MONTHS = ("January", "March", "June", "October")
CLOSINGS = ("Thanks!", "Kind regards", "Please answer soon.", "")


def letters(count: int, seed: int = 0) -> list[dict[str, str]]:
    """So many letters, the teams in turn; one in fifty is about two things."""
    chance, teams, made = random.Random(seed), list(TOPICS), []  # noqa: S311 - an example
    for number in range(count):
        team = teams[number % len(teams)]
        topics = [team, chance.choice(teams)] if chance.random() < 0.02 else [team]
        body = ". ".join(chance.choice(TOPICS[each]).format(month=chance.choice(MONTHS)) for each in topics)
        made.append({"text": f"{chance.choice(OPENINGS)} {body}. {chance.choice(CLOSINGS)} #{number}", "team": team})
    return made


if __name__ == "__main__":
    lines = "".join(json.dumps(letter) + "\n" for letter in letters(900))
    put({"examples/letters.jsonl": lines.encode()})
