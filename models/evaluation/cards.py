"""Cards known to be compromised before a day of the test, as the handbook knows them."""

from models.evaluation.dates import DaysTested


class KnownCards:
    """The cards with a fraud since the week of training began that is known by a day.

    They are dropped from the "book" figures: whose fraud is known is blocked, not scored. See
    *Reproducible Machine Learning for Credit Card Fraud Detection*, chapter 5.

    Args:
        test: The days that are tested.
    """

    def __init__(self, test: DaysTested) -> None:
        self._test = test
        self._first_fraud_day: dict[str, int] = {}

    def see_fraud(self, card: str, day: int) -> None:
        """Note a fraud; days come in order."""
        if day >= self._test.train_from_day:
            self._first_fraud_day.setdefault(card, day)

    def is_known(self, card: str, day: int) -> bool:
        """Tell whether the card is known to be compromised before that day begins."""
        first_day = self._first_fraud_day.get(card)
        return first_day is not None and first_day <= self._test.known_until_day(day)
