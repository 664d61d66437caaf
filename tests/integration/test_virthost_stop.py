#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a user stopped stays stopped; what was never started stays so; a new boot, a reload, and the ways down."""

import os
import signal
import subprocess

from lab import Refused, wait_until
from virthost_case import Case, main


class Stop(Case):
    def test_stopped_by_the_user_stays_stopped_over_a_kill_and_a_reload(self):
        lab = self.lab
        lab.dir_pool('local', 'autostart')
        lab.dir_pool('spare', 'autostart')
        lab.dir_pool('never', 'manual')
        lab.guest('a', 'autostart', pool='dir/local')
        lab.start()
        lab.ctl('stop', 'guest/a')
        lab.ctl('stop', 'dir/spare')
        expected = dict(dir_local='active', dir_spare='inactive', dir_never='inactive', guest_a='inactive')
        for _ in range(2):
            lab.restart()
            self.assert_states(**expected)
            lab.ctl('reload')
            lab.daemon.send_signal(signal.SIGHUP)
            self.assert_states(**expected)
            self.assertEqual(lab.guests(), {})
        self.assertEqual(lab.list()['guest/a']['reason'], 'user')

    def test_a_kill_in_a_stop_finishes_the_stop(self):
        lab = self.lab
        lab.guest('a', 'autostart')
        lab.start()
        qemu = lab.guests()['a']
        os.kill(qemu.pid, signal.SIGSTOP)
        client = lab.ctl_later('stop', 'guest/a')
        wait_until(lambda: lab.state_of('guest/a') == 'stopping', 'the stop to begin')
        lab.kill()
        client.wait()
        os.kill(qemu.pid, signal.SIGCONT)
        lab.start()
        wait_until(lambda: not lab.guests(), 'the guest to end')
        wait_until(lambda: lab.state_of('guest/a') == 'inactive', 'the stop to end')
        lab.restart()
        self.assert_states(guest_a='inactive')

    def test_what_others_need_is_stopped_with_them_or_not_at_all(self):
        lab = self.lab
        lab.export_pool('iscsi', 'autostart')
        lab.guest('a', 'autostart', pool='export/iscsi')
        lab.start()
        with self.assertRaisesRegex(Refused, 'guest/a'):
            lab.ctl('stop', 'export/iscsi')
        self.assert_states(export_iscsi='active', guest_a='active')
        lab.ctl('stop', 'export/iscsi', '--cascade')
        self.assert_states(export_iscsi='inactive', guest_a='inactive')
        self.assertEqual((lab.guests(), lab.export_process('iscsi')), ({}, None))
        with self.assertRaisesRegex(Refused, 'export/iscsi'):
            lab.ctl('start', 'guest/a')
        lab.ctl('start', 'guest/a', '--dependencies')
        self.assert_states(export_iscsi='active', guest_a='active')

    def test_a_guest_that_powers_itself_off_stays_off(self):
        lab = self.lab
        lab.guest('a', 'manual', beats=3)
        lab.start()
        lab.ctl('start', 'guest/a')
        wait_until(lambda: lab.state_of('guest/a') == 'inactive', 'the guest to power off')
        self.assertEqual(lab.list()['guest/a']['reason'], 'self')
        lab.restart()
        self.assert_states(guest_a='inactive')

    def test_a_guest_counts_as_seldom_as_its_ticks_say(self):
        lab = self.lab
        lab.export_pool('iscsi')
        lab.guest('often', pool='export/iscsi', slot=0)
        lab.guest('seldom', pool='export/iscsi', slot=1, ticks=20)
        lab.start()
        for name in ('guest/seldom', 'guest/often'):
            lab.ctl('start', name, '--dependencies')
        lab.wait_counting('seldom', above=1)
        wait_until(lambda: (lab.counter('often') or 0) > 5 * lab.counter('seldom') + 20, 'the one to be far behind the other')

    def test_a_guest_that_is_killed_is_a_loss(self):
        lab = self.lab
        lab.guest('a', 'manual')
        lab.start()
        lab.ctl('start', 'guest/a')
        os.kill(lab.guests()['a'].pid, signal.SIGKILL)
        wait_until(lambda: lab.state_of('guest/a') == 'inactive', 'the loss to be seen')
        item = lab.list()['guest/a']
        self.assertEqual((item['reason'], item['desired']), ('loss', 'active'))


class Reload(Case):
    def test_adds_and_removes_and_starts_nothing(self):
        lab = self.lab
        lab.dir_pool('local', 'autostart')
        lab.guest('a', 'autostart', pool='dir/local')
        lab.guest('b', 'manual')
        lab.start()
        before = lab.guests()['a'].identity()
        lab.guest('c', 'autostart')
        (lab.config / 'guests' / 'b.json').unlink()
        (lab.config / 'guests' / 'a.json').unlink()
        lab.ctl('reload')
        wait_until(lambda: 'guest/b' not in lab.list(), 'b to be removed')
        self.assert_states(guest_a='active', guest_c='inactive')
        self.assertEqual(lab.guests()['a'].identity(), before)
        lab.restart()
        self.assert_states(guest_a='active', guest_c='inactive')
        lab.ctl('stop', 'guest/a')
        wait_until(lambda: 'guest/a' not in lab.list(), 'a to be forgotten')

    def test_a_broken_file_changes_nothing_and_is_named(self):
        lab = self.lab
        lab.guest('a', 'autostart')
        lab.start()
        lab.guest('b', 'manual')
        (lab.config / 'guests' / 'c.json').write_text('{"name": "c",\n "memory": }')
        with self.assertRaisesRegex(Refused, r'guests/c\.json:2:\d+: '):
            lab.ctl('reload')
        self.assertNotIn('guest/b', lab.list())
        self.assert_states(guest_a='active')

    def test_a_changed_policy_starts_nothing(self):
        lab = self.lab
        lab.guest('a', 'manual')
        lab.start()
        lab.guest('a', 'autostart')
        lab.ctl('reload')
        self.assertEqual(lab.list()['guest/a']['policy'], 'autostart')
        lab.restart()
        self.assert_states(guest_a='inactive')


class Down(Case):
    def test_a_signal_leaves_guests_and_handles_nothing_on_the_loop(self):
        lab = self.lab
        lab.guest('a', 'autostart')
        for number in signal.SIGTERM, signal.SIGINT:
            lab.start()
            before = lab.guests()['a'].identity()
            self.assertEqual(lab.terminate(number), 0)
            self.assertFalse(lab.socket.exists())
            self.assertEqual(lab.guests()['a'].identity(), before)
        self.assertNotIn('handles are left', lab.log.read_text())

    def test_a_host_shutdown_stops_everything_and_the_next_boot_brings_it_back(self):
        lab = self.lab
        lab.export_pool('iscsi', 'last-state')
        lab.guest('a', 'last-state', pool='export/iscsi')
        lab.guest('b', 'unless-stopped')
        lab.guest('c', 'manual')
        lab.guest('d', 'unless-stopped')
        lab.start('--boot-id', 'one')
        for name in 'export/iscsi', 'guest/a', 'guest/b', 'guest/c', 'guest/d':
            lab.ctl('start', name)
        lab.ctl('stop', 'guest/d')
        lab.ctl('shutdown', '--host')
        self.assertEqual(lab.daemon.wait(60), 0)
        self.assertEqual((lab.guests(), lab.export_process('iscsi')), ({}, None))
        lab.start('--boot-id', 'two')
        self.assert_states(export_iscsi='active', guest_a='active', guest_b='active', guest_c='inactive',
                           guest_d='inactive')

    def test_shutdown_without_host_leaves_guests(self):
        lab = self.lab
        lab.guest('a', 'autostart')
        lab.start()
        lab.ctl('shutdown')
        self.assertFalse(lab.socket.exists(), 'the answer comes when it is down')
        self.assertEqual(lab.daemon.wait(60), 0)
        self.assertIn('a', lab.guests())


class Two(Case):
    def test_a_second_daemon_is_refused_and_the_first_one_is_left_alone(self):
        lab = self.lab
        lab.guest('a', 'autostart')
        lab.start()
        command = [lab.virthost, '--config', lab.config, '--state', lab.state, '--netns', lab.netns]
        for path, text in (lab.socket, 'another virthost'), (lab.directory / 'other.sock', str(lab.daemon.pid)):
            done = subprocess.run([*command, '--socket', path], capture_output=True, text=True, timeout=30, check=False)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(text, done.stderr)
        self.assert_states(guest_a='active')


if __name__ == '__main__':
    main()
