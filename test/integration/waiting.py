"""Waiting for something to become true, with a deadline. Tests never sleep in the hope that it has."""
import time

SECONDS = 20  # generous: sanitizers, and machines with other work


def until(check, what, seconds=SECONDS, alive=lambda: None):
    """The first true value of check(); AssertionError naming `what` at the deadline. alive() may raise earlier."""
    deadline = time.monotonic() + seconds
    pause = 0.002
    while True:
        value = check()
        if value:
            return value
        alive()
        if time.monotonic() > deadline:
            raise AssertionError("waited %g s for %s" % (seconds, what() if callable(what) else what))
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
