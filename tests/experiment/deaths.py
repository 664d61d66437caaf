# SPDX-License-Identifier: MIT
"""Where the daemon dies: at a random time, at the nth boundary of a callback, at the nth of a system call of its store. A die()
tells where, and how often it died idle, with requests to do, and in a bring-up."""

import itertools
import time
from collections import Counter

from lab import Refused, wait_until

# Those with which the journal changes or reads its file. strace counts each of them for itself, in each thread.
STORE_CALLS = ['pread64', 'pwrite64', 'fdatasync', 'fsync', 'ftruncate', 'unlinkat', 'renameat', 'getrandom']
BRING_UP_SECONDS = 0.12
PHASES = ['idle', 'requests', 'bring_up']


def settled_or_dead(lab):
    def over():
        if lab.daemon.poll() is not None:
            return True
        try:
            return lab.status()['milestone'] == 'settled'
        except (Refused, RuntimeError):
            return False
    wait_until(over, 'the bring-up to end, or the daemon')
    return lab.daemon.poll() is None


def ask_until_dead(lab, requests):
    """Whether it lived through all of them."""
    for verb, name in requests:
        lab.ask(verb, [name])
        if lab.daemon.poll() is not None:
            return False
    return True


class Random:
    """While it is idle, or has requests to do; every other time its next bring-up dies, too, and that one's, ..."""
    name = 'time'

    def die(self, lab, rng, requests):
        first = {name: verb for verb, name in reversed(requests)}
        clients = [(verb, name, lab.ctl_later(verb, name)) for name, verb in first.items() if rng.random() < 0.5]
        pause = rng.uniform(0, 0.08)
        time.sleep(pause)
        lab.kill()
        for verb, name, client in clients:
            lab.ledger.note(verb, name, client.wait() == 0)
        died = Counter(['requests' if clients else 'idle'])
        while rng.random() < 0.5:
            lab.start_arm(wait='')
            time.sleep(rng.uniform(0, BRING_UP_SECONDS))
            lab.kill()
            died['bring_up'] += 1
        return f'{pause * 1000:.0f} ms, then in {died["bring_up"]} bring-ups', died


def kill_armed(lab, requests, **armed):
    """Kill it, and start one that is to die by itself: whether it lived on, and in which phases the two died."""
    lab.kill()
    lab.start_arm(wait='', **armed)
    if not settled_or_dead(lab):
        return False, Counter(['idle', 'bring_up'])
    lived = ask_until_dead(lab, requests)
    lab.kill()
    return lived, Counter(['idle', 'idle' if lived else 'requests'])


class Callback:
    """At each boundary in turn, of its bring-up and then of the requests; begins again when there is no further one."""
    name = 'callback'

    def __init__(self):
        self.next = 1

    def die(self, lab, rng, requests):
        at = self.next
        lived, died = kill_armed(lab, requests, die_at=at)
        self.next = 1 if lived else at + 1
        return f'{at}' if not lived else f'after all {at - 1}', died


class Store:
    """Just before each system call of the store. strace would trace what is forked as well: requests that fork are left out."""
    name = 'store'

    def __init__(self):
        self.calls = itertools.cycle(STORE_CALLS)
        self.call = next(self.calls)
        self.next = 1

    def die(self, lab, rng, requests):
        call, at = self.call, self.next
        lived, died = kill_armed(lab, [request for request in requests if request != ('start', 'guest/churn')], wrapper=[
            'strace', '-D', '-f', '-qq', '-o', '/dev/null', '-e', f'trace={call}', '-e',
            f'inject={call}:signal=SIGKILL:when={at}'])
        self.next = 1 if lived else at + 1
        self.call = next(self.calls) if lived else call
        return f'{call} {at}' if not lived else f'after all {at - 1} {call}', died
