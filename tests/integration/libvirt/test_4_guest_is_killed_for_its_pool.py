#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Failure 4: a running guest is killed at a restart since its pool is missing.
Here dependencies gate starting, never survival: the guest is adopted, degraded until its pool is back, and counts on.
"""

import shutil

from lab import end_process, start_time, wait_until
from virthost_case import Case, main


class PoolIsMissing(Case):
    def start_with(self, pool):
        lab = self.lab
        lab.guest('a', 'autostart', pool=pool)
        lab.start()
        self.before = lab.guests()['a'].identity()
        self.counted = lab.wait_counting('a')
        lab.kill()

    def assert_lives(self, degraded):
        lab = self.lab
        lab.wait_quiet()
        self.assertEqual({name: guest.identity() for name, guest in lab.guests().items()}, {'a': self.before})
        item = lab.list()['guest/a']
        self.assertEqual((item['state'], item['degraded']), ('active', degraded))

    def assert_lives_once_reconciled(self):
        lab = self.lab
        lab.start(wait='reconciled')
        item = lab.list()['guest/a']
        self.assertEqual((item['state'], item['degraded']), ('active', True))
        self.assertEqual({name: guest.identity() for name, guest in lab.guests().items()}, {'a': self.before})

    def test_the_server_of_an_nbd_pool_is_away(self):
        lab = self.lab
        server = lab.nbd_pool('rbd', 'autostart')
        self.start_with('nbd/rbd')
        server.stop()
        self.assert_lives_once_reconciled()
        server.start()
        wait_until(lambda: not lab.list()['guest/a']['degraded'], 'the pool to come back')
        self.assert_lives(degraded=False)
        lab.wait_counting('a', self.counted)

    def test_the_process_of_an_export_is_gone(self):
        lab = self.lab
        lab.export_pool('iscsi', 'autostart')
        self.start_with('export/iscsi')
        pid = lab.export_process('iscsi')
        end_process(pid, start_time(pid))
        self.assert_lives_once_reconciled()
        self.assertEqual(lab.list()['export/iscsi']['reason'], 'loss')
        lab.ctl('start', 'export/iscsi')
        self.assert_lives(degraded=False)
        lab.wait_counting('a', self.counted)

    def test_the_directory_of_a_pool_is_away(self):
        lab = self.lab
        lab.dir_pool('local', 'autostart')
        self.start_with('dir/local')
        shutil.move(lab.directory / 'local', lab.directory / 'away')
        self.assert_lives_once_reconciled()
        shutil.move(lab.directory / 'away', lab.directory / 'local')
        wait_until(lambda: not lab.list()['guest/a']['degraded'], 'the pool to come back')
        self.assert_lives(degraded=False)
        lab.wait_counting('a', self.counted)

    def test_nobody_defines_the_pool_any_more(self):
        lab = self.lab
        lab.dir_pool('local', 'autostart')
        self.start_with('dir/local')
        (lab.config / 'pools' / 'local.json').unlink()
        lab.start()
        self.assert_lives(degraded=True)
        self.assertIn('dir/local', lab.list()['guest/a']['error'] or '')
        lab.wait_counting('a', self.counted)


if __name__ == '__main__':
    main()
