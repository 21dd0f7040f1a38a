"""What a check is: a promise, how it is tried, and what to do where it is broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Example = TypeVar("Example", contravariant=True)


class ContractBroken(AssertionError):
    """Raise when a part does not do what every part of its kind promises.

    The message names the part and the promise, what was got, what was wanted, and what to do.
    """


@dataclass(frozen=True)
class Check(Generic[Example]):
    """Hold one promise of a contract and how it is tried.

    Parameters
    ----------
    name
        For the name of a test case.
    promise
        What is promised, in a sentence.
    advice
        What to do where it is broken.
    attempt
        Tries it on an example of a part, and raises an AssertionError where it is broken.
    """

    name: str
    promise: str
    advice: str
    attempt: Callable[[Example], None]

    def __call__(self, example: Example) -> None:
        """Try an example.

        Parameters
        ----------
        example
            A part, with what it is tried on.

        Raises
        ------
        ContractBroken
            The promise is broken.
        """
        try:
            self.attempt(example)
        except AssertionError as error:
            raise ContractBroken(
                f"{example} breaks a promise: {self.promise}\n{str(error).strip()}\n"
                f"What to do: {self.advice}"
            ) from error
        except Exception as error:
            error.add_note(f"while {example} was tried on: {self.promise}")
            error.add_note(f"What to do: {self.advice}")
            raise

    def __str__(self) -> str:
        return self.name


def promise(advice: str) -> Callable[[Callable[[Example], None]], Check[Example]]:
    """Make a check of a function; the first line of its docstring is the promise.

    Parameters
    ----------
    advice
        What to do where the promise is broken.

    Returns
    -------
    callable
        Decorates a function that takes an example and raises an AssertionError (`require` does).

    Examples
    --------
    >>> @promise("count again")
    ... def is_seven(number):
    ...     '''It is seven.'''
    ...     require(number == 7, number, "7")
    >>> is_seven(8)
    Traceback (most recent call last):
    biosense.testing.contract.ContractBroken: 8 breaks a promise: It is seven.
    got 8, wanted 7
    What to do: count again
    """

    def made(attempt: Callable[[Example], None]) -> Check[Example]:
        said = (attempt.__doc__ or "").partition("\n")[0]
        return Check(attempt.__name__.strip("_"), said, advice, attempt)

    return made


def require(kept: bool, got: Any, wanted: str) -> None:
    """Raise an AssertionError that says what was got and wanted, unless a claim is kept.

    Parameters
    ----------
    kept
        Whether all is well.
    got
        What was found; shown as text.
    wanted
        What should have been, in words.

    Raises
    ------
    AssertionError
        It is not.
    """
    if not kept:
        raise AssertionError(f"got {got}, wanted {wanted}")
