#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kill -9 of the daemon, while guests run, start, stop, or while it comes up."""

import json
import os
import shutil
import signal
import time
import unittest

from lab import arguments, open_files, processes_of, wait_until
from virthost_case import Case, main


class Kill(Case):
    def test_guests_live_on_and_are_adopted(self):
        lab = self.lab
        lab.dir_pool('local', 'autostart')
        lab.nbd_pool('vault', 'autostart', psk_user='alice')
        lab.export_pool('iscsi', 'autostart')
        for name, pool in ('a', 'dir/local'), ('b', 'nbd/vault'), ('c', 'export/iscsi'), ('d', None):
            lab.guest(name, 'autostart', **({'pool': pool} if pool else {}))
        lab.start()
        before = {name: guest.identity() for name, guest in lab.guests().items()}
        counted = {name: lab.wait_counting(name) for name in 'abc'}
        lab.restart()
        self.assertEqual(sorted(before), ['a', 'b', 'c', 'd'])
        self.assertEqual({name: guest.identity() for name, guest in lab.guests().items()}, before)
        listed = lab.list()
        for name in 'abcd':
            self.assertEqual(listed[f'guest/{name}']['state'], 'active')
            self.assertEqual(listed[f'guest/{name}']['pid'], before[name][0])
            self.assertFalse(listed[f'guest/{name}']['degraded'])
            self.assertEqual(lab.qmp_status(name), 'running')
        for name, value in counted.items():
            lab.wait_counting(name, value)

    def test_a_pool_inside_the_daemon_is_active_again_whatever_its_policy(self):
        lab = self.lab
        server = lab.nbd_pool('rbd', 'manual')
        lab.start()
        self.assertEqual(server.connections(), 0)
        lab.ctl('start', 'nbd/rbd')
        self.assertEqual(server.connections(), 1)
        lab.restart()
        self.assert_states(nbd_rbd='active')
        self.assertEqual(server.connections(), 1)

    def test_a_guest_that_was_never_recorded_active_is_adopted(self):
        """Death as soon as its process is seen: mostly between the spawn and the handle."""
        lab = self.lab
        lab.guest('a', 'manual')
        lab.start()
        for round_number in range(8):
            client = lab.ctl_later('start', 'guest/a')
            wait_until(lambda: lab.guests() or client.poll() is not None, 'a QEMU')
            lab.kill()
            client.wait()
            spawned = {name: guest.identity() for name, guest in lab.guests().items()}
            lab.start()
            self.assertEqual({name: guest.identity() for name, guest in lab.guests().items()}, spawned,
                             f'round {round_number}')
            self.assert_states(guest_a='active')
            lab.ctl('stop', 'guest/a')
            self.assertEqual(lab.guests(), {})

    def seen_forking(self, *request):
        """Whether its child was seen while it was the daemon itself: on a busy machine the request may be over before."""
        lab, seen = self.lab, []
        client = lab.ctl_later(*request)
        self.addCleanup(client.wait)

        def is_forking():
            seen[:] = [list(processes_of(lab.directory).values()).count(arguments(lab.daemon.pid)) == 2]
            return seen[0] or client.poll() is not None
        wait_until(is_forking, 'the fork')
        return seen[0]

    @unittest.skipUnless(shutil.which('strace'), 'no strace')
    def test_killed_between_a_fork_and_its_exec(self):
        """The child has the daemon's sockets and the lock of its state directory until it calls exec, which strace delays."""
        lab = self.lab
        lab.guest('a', 'manual')
        lab.start(wrapper=['strace', '-D', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=execve', '-e',
                           'inject=execve:delay_enter=300000:when=1'])
        while not self.seen_forking('start', 'guest/a'):
            lab.ctl('stop', 'guest/a')
        lab.kill()
        lab.start()
        lab.wait_quiet()
        self.assertEqual(lab.state_of('guest/a') == 'active', 'a' in lab.guests())

    def test_nothing_runs_twice_when_killed_in_starts_stops_and_bring_ups(self):
        lab = self.lab
        lab.dir_pool('local', 'autostart')
        names = [f'g{i}' for i in range(4)]
        for name in names:
            lab.guest(name, 'autostart', pool='dir/local')
        for moment in range(12):
            lab.start(wait='' if moment % 3 else 'settled')
            clients = [] if moment % 3 else [
                lab.ctl_later('stop' if name in lab.guests() else 'start', f'guest/{name}') for name in names[:3]]
            time.sleep(0.007 * moment)
            lab.guests()
            lab.kill()
            for client in clients:
                client.wait()
        lab.start()
        lab.wait_quiet()
        running = lab.guests()
        for name in names:
            self.assertEqual(lab.state_of(f'guest/{name}') == 'active', name in running)

    def test_a_guest_that_died_meanwhile_is_a_loss(self):
        lab = self.lab
        lab.guest('a', 'autostart')
        lab.start()
        pid = lab.guests()['a'].pid
        lab.kill()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not lab.guests(), 'the guest to end')
        lab.start()
        # A dying process holds its lock longer than its command line.
        lab.wait_quiet()
        listed = lab.list()['guest/a']
        self.assertEqual((listed['state'], listed['reason'], listed['desired']), ('inactive', 'loss', 'active'))
        self.assertEqual(lab.guests(), {})

    def test_a_guest_whose_config_is_gone_is_kept_and_can_be_stopped(self):
        lab = self.lab
        lab.guest('a', 'autostart')
        lab.start()
        before = lab.guests()['a'].identity()
        (lab.config / 'guests' / 'a.json').unlink()
        lab.restart()
        self.assertEqual(lab.guests()['a'].identity(), before)
        self.assertTrue(lab.list()['guest/a']['transient'])
        lab.ctl('stop', 'guest/a')
        wait_until(lambda: 'guest/a' not in lab.list(), 'the guest to be forgotten')
        self.assertEqual(lab.guests(), {})

    def test_a_truncated_record_does_not_lose_or_double_a_guest(self):
        """The journal loses its end: the guest runs, and the record says less than that."""
        lab = self.lab
        lab.guest('a', 'manual')
        lab.start()
        lab.ctl('start', 'guest/a')
        before = lab.guests()['a'].identity()
        lab.kill()
        journal = lab.state / 'journal'
        text = journal.read_bytes().rstrip(b'\n\0')
        self.assertIn(b'"name":"a"', text.splitlines()[-1])
        journal.write_bytes(text[:-20])
        lab.start()
        self.assertEqual({name: guest.identity() for name, guest in lab.guests().items()}, {'a': before})
        self.assertEqual(lab.state_of('guest/a'), 'active')


class Handles(Case):
    def test_a_guest_inherits_nothing_but_its_lock(self):
        lab = self.lab
        lab.guest('a', 'autostart')
        lab.start()
        pid = lab.guests()['a'].pid
        inherited = sorted(os.path.basename(target) for target in open_files(pid) if str(lab.directory) in target)
        self.assertEqual(inherited, ['guest-a.lock', 'guest-a.log', 'guest-a.log'])

    def test_the_handle_tells_pid_start_time_and_uuid(self):
        lab = self.lab
        lab.guest('a', 'autostart')
        lab.start()
        guest = lab.guests()['a']
        lab.kill()
        journal = b''.join(path.read_bytes() for path in lab.state.iterdir() if path.is_file()).decode()
        self.assertIn(guest.uuid, journal)
        self.assertIn(json.dumps(json.dumps({'pid': guest.pid}, separators=(',', ':')))[1:-2], journal)


if __name__ == '__main__':
    main()
