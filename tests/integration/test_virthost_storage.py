#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Pools, secrets and networks: what is detected, what is retried, what is skipped."""

import os
import shutil
import signal
import unittest

from lab import Refused, arguments, bridges_permitted, wait_until
from virthost_case import Case, main


class Pools(Case):
    def test_an_export_is_found_again(self):
        lab = self.lab
        lab.export_pool('iscsi', 'manual')
        lab.start()
        lab.ctl('start', 'export/iscsi')
        pid = lab.export_process('iscsi')
        lab.restart()
        self.assertEqual(lab.export_process('iscsi'), pid)
        self.assertEqual(lab.list()['export/iscsi']['pid'], pid)
        lab.kill()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: lab.export_process('iscsi') is None, 'nbdkit to end')
        lab.start()
        item = lab.list()['export/iscsi']
        self.assertEqual((item['state'], item['reason']), ('inactive', 'loss'))

    def test_an_export_that_was_never_recorded_active_is_adopted(self):
        lab = self.lab
        lab.export_pool('iscsi', 'manual')
        lab.start()
        for _ in range(6):
            client = lab.ctl_later('start', 'export/iscsi')
            wait_until(lambda: (lab.state / 'run' / 'export-iscsi.sock').exists() or client.poll() is not None, 'nbdkit')
            lab.kill()
            client.wait()
            lab.start()
            lab.wait_quiet()
            self.assert_states(export_iscsi='active')
            self.assertIsNotNone(lab.export_process('iscsi'))
            lab.ctl('stop', 'export/iscsi')
            self.assertIsNone(lab.export_process('iscsi'))

    def test_a_server_that_comes_late_is_tried_again_and_its_guests_follow(self):
        lab = self.lab
        server = lab.nbd_pool('rbd', 'autostart', start=False)
        lab.guest('a', 'autostart', pool='nbd/rbd')
        lab.guest('b', 'autostart')
        lab.start()
        self.assert_states(nbd_rbd='inactive', guest_a='inactive', guest_b='active')
        item = lab.list()['nbd/rbd']
        self.assertEqual(item['condition'], 'deferred')
        self.assertIn(str(server.socket), item['error'])
        server.start()
        wait_until(lambda: lab.state_of('guest/a') == 'active', 'the guest to follow its pool')
        lab.wait_counting('a')

    def test_a_server_that_is_gone_at_a_restart_leaves_its_guests_alive(self):
        lab = self.lab
        server = lab.nbd_pool('rbd', 'manual')
        lab.guest('a', 'manual', pool='nbd/rbd')
        lab.start()
        lab.ctl('start', 'guest/a', '--dependencies')
        before = lab.guests()['a'].identity()
        lab.kill()
        server.stop()
        lab.start(wait='reconciled')
        item = lab.list()['guest/a']
        self.assertEqual((item['state'], item['degraded']), ('active', True))
        self.assertEqual(lab.guests()['a'].identity(), before)
        server.start()
        wait_until(lambda: not lab.list()['guest/a']['degraded'], 'the pool to come back')
        self.assertEqual(lab.guests()['a'].identity(), before)

    def test_a_guest_that_a_failing_disk_has_paused_goes_on_when_it_works_again(self):
        lab = self.lab
        server = lab.nbd_pool('rbd', 'autostart')
        lab.guest('a', 'autostart', pool='nbd/rbd')
        lab.start()
        for _ in range(2):
            counted = lab.wait_counting('a')
            server.broken.touch()
            wait_until(lambda: lab.qmp_status('a') == 'io-error', 'QEMU to pause the guest')
            server.broken.unlink()
            lab.wait_counting('a', counted + 1)

    def test_a_user_who_starts_a_pool_without_server_is_told(self):
        lab = self.lab
        lab.nbd_pool('rbd', 'manual', start=False)
        lab.start()
        with self.assertRaisesRegex(Refused, 'rbd.sock'):
            lab.ctl('start', 'nbd/rbd')
        self.assert_states(nbd_rbd='inactive')

    def test_a_directory_that_was_away_is_active_when_it_is_back(self):
        lab = self.lab
        lab.dir_pool('mount', 'manual')
        lab.start()
        lab.ctl('start', 'dir/mount')
        lab.kill()
        shutil.move(lab.directory / 'mount', lab.directory / 'away')
        lab.start(wait='reconciled')
        self.assertEqual(lab.list()['dir/mount']['condition'], 'deferred')
        shutil.move(lab.directory / 'away', lab.directory / 'mount')
        wait_until(lambda: lab.state_of('dir/mount') == 'active', 'the pool to be active again')

    def test_a_secret_that_is_gone_fails_its_pool_alone(self):
        lab = self.lab
        lab.nbd_pool('vault', 'autostart', psk_user='alice')
        lab.nbd_pool('rbd', 'autostart')
        lab.guest('a', 'autostart', pool='nbd/vault')
        lab.start()
        before = lab.guests()['a'].identity()
        (lab.config / 'secrets' / 'vault.json').unlink()
        lab.restart()
        listed = lab.list()
        self.assertEqual(listed['nbd/rbd']['state'], 'active')
        self.assertNotEqual(listed['nbd/vault']['state'], 'active')
        self.assertIn('secret/vault', listed['nbd/vault']['error'])
        self.assertTrue(listed['guest/a']['degraded'])
        self.assertEqual(lab.guests()['a'].identity(), before)

    def test_a_key_is_never_shown(self):
        lab = self.lab
        server = lab.nbd_pool('vault', 'autostart', psk_user='alice')
        lab.guest('a', 'autostart', pool='nbd/vault')
        lab.start()
        shown = lab.ctl('list', '--json') + lab.ctl('timeline') + lab.ctl('status') + lab.log.read_text()
        shown += ' '.join(arguments(lab.guests()['a'].pid))
        self.assertNotIn(server.psk, shown)


class Networks(Case):
    @unittest.skipUnless(bridges_permitted(), 'no bridges are permitted here')
    def test_a_bridge_outlives_the_daemon_and_its_guests_wait_for_it(self):
        lab = self.lab
        lab.write('networks', name='br0', policy='manual')
        lab.guest('a', 'manual', network='network/br0')
        lab.start()
        with self.assertRaisesRegex(Refused, 'network/br0'):
            lab.ctl('start', 'guest/a')
        lab.ctl('start', 'guest/a', '--dependencies')
        self.assertEqual(lab.bridges(), ['br0'])
        lab.restart()
        self.assert_states(network_br0='active', guest_a='active')
        lab.ctl('stop', 'network/br0', '--cascade')
        self.assertEqual(lab.bridges(), [])
        lab.ctl('shutdown', '--host')
        lab.daemon.wait(60)
        self.assertFalse(os.path.exists(f'/run/netns/{lab.netns}'))

    def test_without_permission_networks_are_skipped_with_a_reason_and_guests_run(self):
        lab = self.lab
        lab.write('networks', name='br0', policy='autostart')
        lab.guest('a', 'autostart')
        lab.guest('b', 'autostart', network='network/br0')
        bin_directory = lab.directory / 'bin'
        bin_directory.mkdir()
        (bin_directory / 'unshare').write_text('#!/bin/sh\necho "unshare: Operation not permitted" >&2\nexit 1\n')
        (bin_directory / 'unshare').chmod(0o755)
        lab.start(wrapper=['env', f'PATH={bin_directory}:{os.environ["PATH"]}'])
        drivers = {item['name']: item for item in lab.status()['drivers']}
        self.assertEqual(drivers['network']['state'], 'skipped')
        self.assertIn('Operation not permitted', drivers['network']['error'])
        self.assert_states(guest_a='active', guest_b='inactive')
        self.assertIn('network/br0', lab.list()['guest/b']['error'])


if __name__ == '__main__':
    main()
