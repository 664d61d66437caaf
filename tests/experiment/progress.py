# SPDX-License-Identifier: MIT
"""How far it is: one line on a terminal, else a line now and then."""

import multiprocessing
import sys
import time

EVERY_SECONDS = 15


class Progress:
    def __init__(self, total, done=0):
        self.total = total
        self.first = done
        self.steps = multiprocessing.Value('L')  # of all processes that were forked since
        self.began = time.monotonic()
        self.shown = 0.0
        self.on_terminal = sys.stderr.isatty()

    def step(self, text):
        with self.steps.get_lock():
            self.steps.value += 1
            steps = self.steps.value
        done = self.first + steps
        now = time.monotonic()
        if now - self.shown < (0.2 if self.on_terminal else EVERY_SECONDS) and done < self.total:
            return
        self.shown = now
        left = (self.total - done) * (now - self.began) / steps
        line = f'{done} of {self.total}: {text}; {duration(left)} left'
        print(f'\r{line:<100}' if self.on_terminal else line, end='' if self.on_terminal else '\n', file=sys.stderr,
              flush=True)

    def end(self):
        if self.on_terminal and self.steps.value > 0:
            print(file=sys.stderr)


def duration(seconds):
    if seconds < 100:
        return f'{seconds:.0f} s'
    return f'{seconds / 60:.0f} min' if seconds < 6000 else f'{seconds / 3600:.1f} h'
