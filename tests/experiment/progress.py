# SPDX-License-Identifier: MIT
"""How far it is: one line on a terminal, else a line now and then."""

import sys
import time

EVERY_SECONDS = 15


class Progress:
    def __init__(self, total, done=0):
        self.total = total
        self.done = self.first = done
        self.began = time.monotonic()
        self.shown = 0.0
        self.on_terminal = sys.stderr.isatty()

    def step(self, text):
        self.done += 1
        now = time.monotonic()
        if now - self.shown < (0.2 if self.on_terminal else EVERY_SECONDS) and self.done < self.total:
            return
        self.shown = now
        left = (self.total - self.done) * (now - self.began) / (self.done - self.first)
        line = f'{self.done} of {self.total}: {text}; {duration(left)} left'
        print(f'\r{line:<100}' if self.on_terminal else line, end='' if self.on_terminal else '\n', file=sys.stderr,
              flush=True)

    def end(self):
        if self.on_terminal and self.done > self.first:
            print(file=sys.stderr)


def duration(seconds):
    if seconds < 100:
        return f'{seconds:.0f} s'
    return f'{seconds / 60:.0f} min' if seconds < 6000 else f'{seconds / 3600:.1f} h'
