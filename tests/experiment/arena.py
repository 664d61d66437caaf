# SPDX-License-Identifier: MIT
"""Where the experiment takes place: pools of 16 guests each on NBD servers that the daemon doesn't own, and a virthost
that has the arms."""

import csv
import time
from pathlib import Path

import oracle
from lab import Lab, wait_until

GUESTS_OF_A_POOL = 16
# To count costs a guest time of a processor. So that this doesn't grow with their number, the more there are the more seldom
# each counts: all together 32 times a second.
GUESTS_COUNTING_IN_A_TICK = 2

ARMS = {
    'a': 'muster, the dependencies declared',
    'b': "the guest driver's dependencies deleted",
    'c': 'strictly serial, in order of registration, storage last',
    'd': 'strictly serial, in reverse order',
    'e': 'declared, but started is not ready',
}


class Arena(Lab):
    def __init__(self, build, arm='a'):
        super().__init__(build)
        self.virthost = self.daemon_of(build)
        self.arm = arm
        self.ledger = Ledger(None)

    @staticmethod
    def daemon_of(build):
        return Path(build) / 'tests/experiment/virthost-arms'

    def define(self, guests, open_ms):
        for number in range(guests):
            pool = f'p{number // GUESTS_OF_A_POOL}'
            if f'nbd/{pool}' not in self.items:
                self.nbd_pool(pool, open_ms=open_ms)
            self.guest(f'g{number}', pool=f'nbd/{pool}', slot=number % GUESTS_OF_A_POOL, memory=32,
                       ticks=max(1, guests // GUESTS_COUNTING_IN_A_TICK))

    def start_arm(self, arm=None, die_at=0, wait='settled', wrapper=()):
        self.start(wait=wait, wrapper=['env', f'VIRTHOST_ARM={arm or self.arm}', f'VIRTHOST_DIE_AT={die_at}', *wrapper])

    def ask(self, verb, names):
        """One request for each, all at once; those that weren't acknowledged."""
        clients = [(name, self.ctl_later(verb, name)) for name in names]
        refused = []
        for name, client in clients:
            acknowledged = client.wait() == 0
            self.ledger.note(verb, name, acknowledged)
            refused += [] if acknowledged else [name]
        return refused

    def ask_until_done(self, verb, names):
        """What was just killed may have to be looked at again before it can be started."""
        left = list(names)

        def done():
            left[:] = self.ask(verb, left) if left else []
            return not left
        wait_until(done, f'{verb} of {", ".join(names)}')

    def start_guests(self, names):
        """Until each has booted and counts."""
        begun = oracle.counters(self, names)
        self.ask_until_done('start', [f'guest/{name}' for name in names])
        oracle.wait_all_counting(self, begun)


class Ledger:
    """The log of requests, and what has to be true since they were acknowledged."""

    def __init__(self, path):
        self.file = open(path, 'a', newline='') if path else None
        self.active = {}

    def note(self, verb, name, acknowledged):
        """What was asked for and not acknowledged may be so or not: None."""
        if self.file:
            answer = 'acknowledged' if acknowledged else 'not'
            csv.writer(self.file, lineterminator='\n').writerow([f'{time.time():.3f}', verb, name, answer])
            self.file.flush()
        wanted = verb == 'start'
        if acknowledged:
            self.active[name] = wanted
        elif self.active.get(name, False) != wanted:
            self.active[name] = None

    def close(self):
        if self.file:
            self.file.close()
