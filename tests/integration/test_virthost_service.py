#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""virthost as a service: what the service manager hears, what logind says, the log as JSON, the unit file."""

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import threading
import unittest
from pathlib import Path

import virthost_case
from lab import PATIENCE, wait_until

ROOT = Path(__file__).resolve().parents[2]
FAKE_LOGIND = os.environ.get('MUSTER_FAKE_LOGIND', '')


class Manager:
    """The service manager's end of NOTIFY_SOCKET: all that was told, in order, as dictionaries."""

    def __init__(self, directory):
        self.path = directory / 'notify.sock'
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.heard = []
        self.listener = threading.Thread(target=self.listen, daemon=True)
        self.listener.start()

    def listen(self):
        """An empty message is the last."""
        while data := self.socket.recv(65536):
            self.heard.append(dict(line.split('=', 1) for line in data.decode().splitlines()))

    def first(self, member, value=None, after=-1):
        for number, told in enumerate(list(self.heard)):
            if number > after and member in told and value in (None, told[member]):
                return number
        return None

    def wait(self, member, value=None, after=-1):
        wait_until(lambda: self.first(member, value, after) is not None, f'{member}={value or "..."}')
        return self.first(member, value, after)

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b'', str(self.path))
        self.listener.join(PATIENCE)
        self.socket.close()


@unittest.skipUnless(FAKE_LOGIND, 'built without libsystemd')
class Notified(virthost_case.Case):
    def setUp(self):
        super().setUp()
        self.manager = Manager(self.lab.directory)
        self.addCleanup(self.manager.close)

    def start(self, *options, wait='settled'):
        self.lab.start(*options, wait=wait, wrapper=['env', f'NOTIFY_SOCKET={self.manager.path}'])

    def test_ready_comes_with_the_end_of_the_roll_call(self):
        self.lab.dir_pool('local', 'autostart')
        self.lab.guest('web', 'autostart', pool='dir/local')
        self.start()
        ready = self.manager.wait('READY', '1')
        # dir, guest and a resource of each have autostart before them.
        drivers = len(self.lab.status()['drivers'])
        self.assertEqual(self.manager.heard[ready]['STATUS'],
                         f'bringing up: {drivers - 2} done, 0 running, 4 waiting, 0 failed')
        reconciled = next(n for n, line in enumerate(self.lab.timeline()) if line['text'].startswith('reconciled'))
        started = next(n for n, line in enumerate(self.lab.timeline())
                       if line['subject'] == 'guest/web' and line['text'].startswith('start (autostart)'))
        self.assertLess(reconciled, started)
        extended = [n for n, told in enumerate(list(self.manager.heard)) if 'EXTEND_TIMEOUT_USEC' in told]
        self.assertTrue(extended and max(extended) < ready, 'only before READY is the start extended')

    def test_the_status_counts_what_is_done(self):
        self.lab.dir_pool('local', 'autostart')
        self.lab.dir_pool('spare')
        self.lab.guest('web', 'autostart', pool='dir/local')
        self.start()
        self.wait_status(f'up: {len(self.lab.status()["drivers"]) + 3} done, 0 running, 0 waiting, 0 failed')

    def test_what_nobody_brings_does_not_wait(self):
        """A guest whose pool has failed, and one whose pool waits for its server."""
        self.lab.export_pool('broken', 'autostart')
        self.lab.guest('of_broken', 'autostart', pool='export/broken')
        self.lab.nbd_pool('late', 'autostart', start=False)
        self.lab.guest('of_late', 'autostart', pool='nbd/late')
        (self.lab.state / 'run').mkdir(parents=True, mode=0o700)
        (self.lab.state / 'run' / 'export-broken.log').mkdir()
        self.start()
        self.wait_status(f'up: {len(self.lab.status()["drivers"])} done, 0 running, 0 waiting, 4 failed')

    def wait_status(self, status):
        """It is what virthostctl watch says."""
        self.manager.wait('STATUS', status)
        self.assertEqual(self.lab.ctl('watch'), status + '\n')

    def test_the_deadlines_of_the_ops_extend_the_start(self):
        self.lab.nbd_pool('rbd', 'autostart')
        self.start()
        told = [int(t['EXTEND_TIMEOUT_USEC']) for t in list(self.manager.heard) if 'EXTEND_TIMEOUT_USEC' in t]
        # secret has the default deadline, 60 s, and there are 5 s of grace; what ends before tells nothing new.
        self.assertEqual(told[0], 65_000_000)
        ops = sum(line['type'] == 'op begin' for line in self.lab.timeline())
        self.assertLess(len(told), ops)

    def test_a_reload_is_told_from_begin_to_end(self):
        self.lab.dir_pool('local')
        self.start()
        ready = self.manager.wait('READY')
        self.lab.dir_pool('another')
        self.lab.daemon.send_signal(signal.SIGHUP)
        begun = self.manager.wait('RELOADING', '1', after=ready)
        self.assertTrue(self.manager.heard[begun]['MONOTONIC_USEC'].isdigit())
        self.manager.wait('READY', '1', after=begun)
        self.assertIn('dir/another', self.lab.list())

    def test_sigterm_is_a_restart_of_the_daemon(self):
        self.lab.guest('web', 'autostart')
        self.start()
        before = self.lab.guests()['web'].identity()
        self.assertEqual(self.lab.terminate(), 0)
        stopping = self.manager.wait('STOPPING', '1')
        self.manager.wait('EXTEND_TIMEOUT_USEC', after=stopping)
        self.assertEqual(self.lab.guests()['web'].identity(), before)


@unittest.skipUnless(FAKE_LOGIND and shutil.which('dbus-daemon'), 'needs libsystemd and dbus-daemon')
class Logind(virthost_case.Case):
    def setUp(self):
        super().setUp()
        address = f'unix:path={self.lab.directory}/bus.sock'
        self.bus = self.spawn(['dbus-daemon', '--session', '--nofork', '--nopidfile', f'--address={address}', '--print-address'])
        self.bus.stdout.readline()
        self.environment = f'DBUS_SYSTEM_BUS_ADDRESS={address}'
        self.logind = self.spawn(['env', self.environment, FAKE_LOGIND])
        self.assertEqual(self.logind.stdout.readline(), 'ready\n')

    def spawn(self, command):
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_the_end_of_the_machine_is_a_shutdown_of_the_host(self):
        self.lab.guest('web', 'last-state')
        self.lab.start('--logind', '--boot-id', 'one', wrapper=['env', self.environment])
        self.assertEqual(self.logind.stdout.readline(), 'locked: shutdown, delay\n')
        self.lab.ctl('start', 'guest/web')
        self.logind.stdin.write('\n')
        self.logind.stdin.flush()
        self.assertEqual(self.lab.daemon.wait(PATIENCE), 0)
        self.assertEqual(self.logind.stdout.readline(), 'released\n')
        self.assertEqual(self.lab.guests(), {})
        self.lab.start('--boot-id', 'two')
        self.assert_states(guest_web='active')

    def test_the_policies_decide_in_the_next_boot(self):
        for policy in 'manual', 'unless-stopped':
            self.lab.guest(policy, policy)
        self.lab.start('--logind', '--boot-id', 'one', wrapper=['env', self.environment])
        self.assertEqual(self.logind.stdout.readline(), 'locked: shutdown, delay\n')
        for policy in 'manual', 'unless-stopped':
            self.lab.ctl('start', f'guest/{policy}')
        self.logind.stdin.write('\n')
        self.logind.stdin.flush()
        self.assertEqual(self.lab.daemon.wait(PATIENCE), 0)
        self.lab.start('--boot-id', 'two')
        self.assertEqual({name: (item['desired'], item['state']) for name, item in self.lab.list().items()},
                         {'guest/manual': ('active', 'inactive'), 'guest/unless-stopped': ('active', 'active')})

    def test_without_a_bus_nothing_is_delayed(self):
        """The daemon would not hear that the machine goes down."""
        self.lab.guest('web', 'autostart')
        self.lab.start('--logind', wrapper=['env', self.environment])
        self.assertEqual(self.logind.stdout.readline(), 'locked: shutdown, delay\n')
        before = self.lab.guests()['web'].identity()
        self.bus.kill()
        wait_until(lambda: select.select([self.logind.stdout], [], [], 0)[0], 'the lock to be released')
        self.assertEqual(self.logind.stdout.readline(), 'released\n')
        self.assertEqual(self.lab.guests()['web'].identity(), before)
        self.assertEqual(self.lab.terminate(), 0)


class Log(virthost_case.Case):
    def test_each_line_of_a_json_log_is_an_object(self):
        self.lab.dir_pool('local', 'autostart')
        (self.lab.config / 'pools' / 'broken.json').write_text('{')
        self.lab.start('--log', 'json')
        self.assertEqual(self.lab.terminate(), 0)
        lines = [json.loads(line) for line in self.lab.log.read_text().splitlines()]
        for line in lines:
            self.assertLessEqual({'time', 'type', 'subject', 'text'}, set(line))
            self.assertRegex(line['time'], r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$')
        self.assertTrue(any(line['type'] == 'problem' and 'broken.json' in line['text'] for line in lines))
        self.assertTrue(any(line['subject'] == 'dir/local' and 'active' in line['text'] for line in lines))

    def test_a_line_that_is_not_utf8_is_printed_all_the_same(self):
        nowhere = b'/nowhere/\xff'
        self.lab.start('--log', 'json', '--report', nowhere)
        told = [line for line in self.lab.timeline() if line['subject'] == 'virthost']
        self.assertEqual([line['text'] for line in told], ['(not UTF-8)'])
        self.assertEqual(self.lab.terminate(), 0)
        self.lab.start('--log', 'json', '--state', nowhere, wait='')
        self.assertEqual(self.lab.daemon.wait(PATIENCE), 1)
        lines = [json.loads(line) for line in self.lab.log.read_text().splitlines()]
        self.assertEqual([line['type'] for line in lines if line['text'] == '(not UTF-8)'], ['virthost', 'problem'])

    def test_another_format_is_wrong_usage(self):
        self.lab.start('--log', 'xml', wait='')
        self.assertEqual(self.lab.daemon.wait(PATIENCE), 2)


@unittest.skipUnless(shutil.which('systemd-analyze'), 'needs systemd-analyze')
class Unit(virthost_case.Case):
    def test_systemd_finds_no_fault_with_the_unit_file(self):
        text = (ROOT / 'examples/virthost/virthost.service').read_text()
        self.assertIn('/usr/bin/virthost ', text)
        unit = self.lab.directory / 'virthost.service'
        readme = ROOT / 'examples/virthost/README.md'
        unit.write_text(text.replace('/usr/bin/virthost ', f'{self.lab.virthost} ')
                        .replace('/usr/share/doc/virthost/README.md', str(readme)))
        done = subprocess.run(['systemd-analyze', 'verify', '--man=no', '--recursive-errors=no', unit], capture_output=True,
                              text=True, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, '', ''))


if __name__ == '__main__':
    virthost_case.main()
