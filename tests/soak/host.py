# SPDX-License-Identifier: MIT
"""One virthost that is asked, robbed and killed, and what must be true of it: what it has acknowledged is so."""

import json
import os
import shutil
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'integration'))

from lab import PATIENCE, Lab, end_process, processes_of, start_time, wait_until  # noqa: E402

POOLS = ('dir/local', 'export/iscsi', 'nbd/rbd', 'nbd/vault')
CUT = 'cut off'
# To count costs a guest time of a processor.
TICKS = 4
# Seconds: the longest pause before another try, of muster_options.retry_max_ms.
RETRY_MAX = 60


class Lost(Exception):
    """Something that was acknowledged isn't so, or something has grown."""


class Host:
    """`running`: guest -> the identity of its QEMU, or None; a guest in `doubtful` may be either way."""

    def __init__(self, build, rng, guests):
        self.lab = Lab(build)
        self.rng = rng
        self.counts = dict.fromkeys(('acknowledged', 'refused', 'cut off', 'kills', 'restarts', 'outages', 'losses', 'checks'), 0)
        self.away = set()
        lab = self.lab
        lab.dir_pool('local', 'autostart')
        lab.export_pool('iscsi', 'last-state')
        lab.nbd_pool('rbd', 'unless-stopped')
        lab.nbd_pool('vault', 'manual', psk_user='alice')
        policies = 'manual', 'autostart', 'unless-stopped', 'last-state'
        self.pool_of = {f'g{i}': POOLS[i % len(POOLS)] for i in range(guests)}
        for i, (name, pool) in enumerate(self.pool_of.items()):
            lab.guest(name, policies[i % len(policies)], pool=pool, slot=i // len(POOLS), ticks=TICKS)
        self.running = dict.fromkeys(self.pool_of)
        self.doubtful = set(self.pool_of)
        lab.start()
        self.check()

    def close(self):
        self.lab.close()

    # ---- requests

    def send(self, command, resource='', **flags):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(120)
        connection.connect(str(self.lab.socket))
        connection.sendall(json.dumps({'command': command, 'resource': resource, **flags}).encode() + b'\n')
        return connection

    def answer(self, connection):
        """None, why it was refused, or CUT."""
        with connection:
            try:
                line = connection.makefile().readline()
            except ConnectionError:
                line = ''
        reply = json.loads(line) if line.endswith('\n') else None
        text = CUT if reply is None else None if reply['ok'] else reply['error']
        self.counts[CUT if text == CUT else 'refused' if text else 'acknowledged'] += 1
        return text

    def ask(self, command, resource='', **flags):
        return self.answer(self.send(command, resource, **flags))

    def guests_of(self, resource):
        driver, name = resource.split('/')
        return [name] if driver == 'guest' else [guest for guest, pool in self.pool_of.items() if pool == resource]

    def pick(self):
        """A request at random: what it is, and about which guests."""
        resource = self.rng.choice([f'guest/{name}' for name in self.pool_of] * 3 + list(POOLS))
        command = self.rng.choice(('start', 'start', 'start', 'stop'))
        flags = {'dependencies': True} if command == 'start' else {'cascade': True}
        return command, resource, flags

    def note(self, command, resource, text):
        """What an answer says of guests."""
        names = self.guests_of(resource)
        if text is not None:
            self.doubtful.update(names)
        elif command == 'stop':
            found = self.lab.guests()
            for name in names:
                if name in found:
                    raise Lost(f'guest {name} runs, and its stop was acknowledged')
                self.running[name] = None
            # A cascade leaves alone what doesn't run: that may wait for the pool to be started again.
            if resource.startswith('guest/'):
                self.doubtful.discard(names[0])
        elif resource.startswith('guest/'):
            self.expect_running(names[0])

    def expect_running(self, name):
        found = self.lab.guests().get(name)
        if found is None:
            raise Lost(f'guest {name} does not run, and its start was acknowledged')
        before = self.running[name]
        if before is not None and name not in self.doubtful and found.identity() != before:
            raise Lost(f'guest {name} is another one: {found.identity()}, and was {before}')
        self.running[name] = found.identity()
        self.doubtful.discard(name)

    def request(self):
        command, resource, flags = self.pick()
        self.note(command, resource, self.ask(command, resource, **flags))

    # ---- outages

    def outage(self):
        self.counts['outages'] += 1
        pool = self.rng.choice(POOLS)
        if pool in self.away:
            self.mend(pool)
        else:
            self.away.add(pool)
            self.take_away(pool)

    def take_away(self, pool):
        name = pool.split('/')[1]
        if pool.startswith('nbd/'):
            self.lab.servers[name].stop()
        elif pool.startswith('dir/'):
            shutil.move(self.lab.directory / name, self.lab.directory / 'away')
        else:
            pid = self.lab.export_process(name)
            if pid:
                end_process(pid, start_time(pid))

    def mend(self, pool):
        self.away.discard(pool)
        name = pool.split('/')[1]
        if pool.startswith('nbd/'):
            self.lab.servers[name].start()
        elif pool.startswith('dir/'):
            shutil.move(self.lab.directory / 'away', self.lab.directory / name)

    def kill_guest(self):
        """Its QEMU: a loss, which the daemon can't undo."""
        found = self.lab.guests()
        if not found:
            return
        guest = found[self.rng.choice(sorted(found))]
        end_process(guest.pid, guest.started)
        self.counts['losses'] += 1
        self.running[guest.name] = None
        # One that was being started again by a rule may be so still.
        if guest.name not in self.doubtful:
            wait_until(lambda: self.lab.state_of(f'guest/{guest.name}') != 'active', 'the loss to be seen')

    # ---- the daemon's deaths

    def kill(self):
        """At a random moment of a request: an answer that came before it counts."""
        self.counts['kills'] += 1
        command, resource, flags = self.pick()
        connection = self.send(command, resource, **flags)
        time.sleep(self.rng.random() * 0.1)
        self.lab.kill()
        self.note(command, resource, self.answer(connection))
        if self.rng.random() < 0.5:
            self.outage()
        self.come_back()

    def restart(self):
        self.counts['restarts'] += 1
        code = self.lab.terminate()
        if code != 0:
            raise Lost(f'virthost has ended with {code}')
        self.come_back()

    def come_back(self):
        """All that surely ran runs on, in the same process, and is known to the daemon."""
        self.lab.start(wait='reconciled')
        listed, found = self.lab.list(), self.lab.guests()
        for name, identity in self.running.items():
            if name in self.doubtful or identity is None:
                continue
            if name not in found or found[name].identity() != identity:
                raise Lost(f'guest {name} was lost at a restart: it was {identity}')
            if listed[f'guest/{name}']['state'] != 'active':
                raise Lost(f'guest {name} runs, and is {listed[f"guest/{name}"]["state"]} after a restart')

    # ---- the check

    def settle(self):
        for pool in sorted(self.away):
            self.mend(pool)
        wait_until(self.are_settled, 'all resources to settle', RETRY_MAX + PATIENCE)

    def are_settled(self):
        """A loss may be seen late, and what was lost often is tried again after a long pause: so it is asked for."""
        listed = self.lab.list()
        missing = [pool for pool in POOLS if listed[pool]['state'] != 'active']
        started = [self.ask('start', pool, dependencies=True) is None for pool in missing]
        return all(started) and self.lab.is_quiet()

    def check(self):
        """All pools are there again: the daemon, the machine and what was acknowledged agree, and nothing is left over."""
        self.counts['checks'] += 1
        self.settle()
        listed, found = self.lab.list(), self.lab.guests()
        for name, identity in self.running.items():
            item = listed[f'guest/{name}']
            if (item['state'] == 'active') != (name in found):
                raise Lost(f'guest {name} is {item["state"]}, and {"runs" if name in found else "does not run"}')
            if name not in self.doubtful and identity != (found[name].identity() if name in found else None):
                raise Lost(f'guest {name} is {found.get(name) and found[name].identity()}, and was left {identity}')
            self.running[name] = found[name].identity() if name in found else None
        # Whose start has failed, or was cut off and could not be adopted, is started again by a restart.
        self.doubtful = {name for name in self.running if self.is_to_be_tried_again(listed[f'guest/{name}'])}
        self.look_for_strays(found)
        for name in found:
            self.expect_counting(name)

    @staticmethod
    def is_to_be_tried_again(item):
        return (item['state'], item['desired']) == ('inactive', 'active') and item['reason'] != 'loss'

    def expect_counting(self, name):
        before = self.lab.counter(name) or 0
        try:
            self.lab.wait_counting(name, before)
        except TimeoutError:
            raise Lost(f'guest {name} does not count on from {before}: QEMU says {self.lab.qmp_status(name)}') from None

    def look_for_strays(self, found):
        known = {guest.pid for guest in found.values()} | {server.pid for server in self.lab.servers.values()}
        known |= {self.lab.daemon.pid, self.lab.export_process('iscsi')}
        wait_until(lambda: set(processes_of(self.lab.directory)) <= known, 'no process to be left over', 10)

    # ---- what may not grow

    def measure(self):
        """With every guest up, so that two measurements can be compared: descriptors, kB of memory, bytes on disk."""
        for name in self.pool_of:
            wait_until(lambda name=name: self.ask('start', f'guest/{name}') is None, f'guest {name} to be started')
            self.expect_running(name)
        wait_until(self.are_settled, 'all resources to settle', RETRY_MAX + PATIENCE)
        process = Path(f'/proc/{self.lab.daemon.pid}')
        memory = next(int(line.split()[1]) for line in (process / 'status').read_text().splitlines()
                      if line.startswith('RssAnon'))
        state = sum(path.stat().st_size for path in self.lab.state.iterdir() if path.is_file())
        return {'descriptors': len(os.listdir(process / 'fd')), 'memory': memory, 'state': state}
