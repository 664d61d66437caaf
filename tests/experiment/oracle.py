# SPDX-License-Identifier: MIT
"""What became of the guests, asked of anybody but the daemon: /proc, QEMU's own monitor, the bytes on the disks, the NBD
servers and their sockets."""

import time
from concurrent.futures import ThreadPoolExecutor

from lab import nbd_answers, qmp_replies, start_time, wait_until

COUNT_SECONDS = 30
CONNECTION_SECONDS = 10
# How many monitors are asked at once.
ASKED_AT_ONCE = 16

# Why a guest counts as lost.
GONE, OTHER, HALTED, STILL = 'gone', 'other', 'halted', 'still'
REASONS = {
    GONE: 'its process is gone',
    OTHER: 'another process, or another UUID',
    HALTED: "QEMU doesn't say that it runs",
    STILL: "its counter doesn't go on",
}


class Seen:
    """One guest, as it was before the daemon was killed."""

    def __init__(self, lab, guest):
        self.identity = guest.identity()
        self.counter = lab.counter(guest.name)


def look(lab):
    return {name: Seen(lab, guest) for name, guest in lab.guests().items()}


def counters(lab, names):
    return {name: lab.counter(name) or 0 for name in names}


def wait_all_counting(lab, begun):
    """Until each has counted on from where it was, name -> counter."""
    left = set(begun)

    def count():
        left.difference_update([name for name, counter in counters(lab, left).items() if counter > begun[name]])
        return not left
    wait_until(count, f'guests to count: {left}', COUNT_SECONDS * 4)


def status_of(guest):
    """The reason why it counts as lost, by its own monitor; None: it runs, and is who it was."""
    try:
        status, uuid = qmp_replies(guest.observer, ['query-status', 'query-uuid'])
    except (OSError, ValueError, KeyError):
        return GONE if start_time(guest.pid) != guest.started else HALTED
    if uuid['UUID'] != guest.uuid:
        return OTHER
    return None if status['status'] == 'running' else HALTED


def judge(lab, before):
    """The lost ones: name -> reason."""
    after = lab.guests()

    def reason_of(name):
        if name not in after:
            return GONE
        return OTHER if after[name].identity() != before[name].identity else status_of(after[name])
    with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
        lost = {name: reason for name, reason in zip(before, pool.map(reason_of, before)) if reason}
    still = {name: before[name].counter for name in before if name not in lost and before[name].counter is not None}
    deadline = time.monotonic() + COUNT_SECONDS
    while still and time.monotonic() < deadline:
        still = {name: counter for name, counter in still.items() if (lab.counter(name) or 0) <= counter}
        time.sleep(0.005 if still else 0)
    for name in still:
        lost[name] = STILL
    for name, guest in after.items():
        if name in before and name not in lost and start_time(guest.pid) != guest.started:
            lost[name] = GONE
    return lost


def silent_servers(lab, pools=None):
    """The pools (of `pools`, or all) whose server doesn't greet, or to which the daemon has no connection."""
    guests = lab.guests()

    def users(pool):
        return sum(1 for name in guests if lab.items[f'guest/{name}'].get('pool') == f'nbd/{pool}')

    def is_silent(pool):
        server = lab.servers[pool]
        try:
            wait_until(lambda: server.connections() == users(pool) + 1, f'a connection to {pool}', CONNECTION_SECONDS)
        except TimeoutError:
            return True
        return not nbd_answers(server.socket)
    return [pool for pool in (lab.servers if pools is None else pools) if is_silent(pool)]
