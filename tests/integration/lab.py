# SPDX-License-Identifier: MIT
"""A place to try virthost in: a directory, NBD servers that the daemon doesn't own, the daemon, and ways to see what
is really there without asking it: /proc, QEMU's own monitor, the bytes on the disks, the servers' connections."""

import json
import os
import re
import secrets
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SLOT = 1024 * 1024
PATIENCE = 40.0
NAMESPACE = 'VIRTHOST_TEST_NAMESPACE'


def wait_until(condition, what, seconds=PATIENCE):
    """What `condition` returns as soon as that is true."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise TimeoutError(f'waited {seconds:.0f} s in vain: {what}')
        time.sleep(0.01)


# ---- processes ---------------------------------------------------------------------------------------

def start_time(pid):
    """In ticks since the machine's start; None: it isn't there, or it is a zombie."""
    try:
        fields = Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
    except (OSError, IndexError):
        return None
    return None if fields[0] in 'ZX' else int(fields[19])


def open_files(pid):
    """Of a process that runs: what its descriptors lead to. One may be closed meanwhile."""
    targets = []
    for fd in os.listdir(f'/proc/{pid}/fd'):
        try:
            targets.append(os.readlink(f'/proc/{pid}/fd/{fd}'))
        except FileNotFoundError:
            pass
    return targets


def arguments(pid):
    try:
        return Path(f'/proc/{pid}/cmdline').read_bytes().decode(errors='replace').split('\0')[:-1]
    except OSError:
        return []


def processes_of(directory):
    """The living processes that have `directory` on their command line: pid -> arguments."""
    found = {}
    for entry in os.listdir('/proc'):
        if entry.isdigit() and int(entry) != os.getpid():
            args = arguments(entry)
            if any(str(directory) in arg for arg in args) and start_time(entry) is not None:
                found[int(entry)] = args
    return found


def end_process(pid, began):
    """
    Only that one: the descriptor is bound to it before its start time is looked at. It can be read when the last thread is gone,
    and with it all sockets are closed.
    """
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if start_time(pid) == began:
            signal.pidfd_send_signal(fd, signal.SIGKILL)
            if not select.select([fd], [], [], PATIENCE)[0]:
                raise TimeoutError(f'waited {PATIENCE:.0f} s in vain: process {pid} to end')
    except ProcessLookupError:
        pass
    finally:
        os.close(fd)


# ---- what is really there ----------------------------------------------------------------------------

class Guest:
    """A QEMU that runs."""

    def __init__(self, pid, args):
        after = dict(zip(args, args[1:]))
        self.pid = pid
        self.started = start_time(pid)
        self.name = after.get('-name', '?')
        self.uuid = after.get('-uuid', '?')
        monitors = [b for a, b in zip(args, args[1:]) if a == '-qmp']
        self.observer = monitors[-1][len('unix:'):].split(',')[0] if monitors else None

    def identity(self):
        return self.pid, self.started, self.uuid


def qmp(path, command, seconds=10):
    """The reply to one command."""
    return qmp_replies(path, [command], seconds)[0]


def qmp_replies(path, commands, seconds=10):
    """Commands to QEMU's second monitor, and their replies: on the first one the daemon has the greeting."""
    replies = []
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(seconds)
        connection.connect(path)
        stream = connection.makefile('rw')
        json.loads(stream.readline())
        for execute in ['qmp_capabilities', *commands]:
            stream.write(json.dumps({'execute': execute}) + '\n')
            stream.flush()
            reply = {}
            while 'return' not in reply and 'error' not in reply:
                reply = json.loads(stream.readline())
            replies.append(reply['return'])
    return replies[1:]


def nbd_answers(path):
    """Does an NBD server greet there?"""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(path))
            return connection.recv(16, socket.MSG_WAITALL) == b'NBDMAGICIHAVEOPT'
    except OSError:
        return False


def read_counter(path, slot, name):
    """What the guest has counted to; None: its sector isn't its own (yet)."""
    try:
        with open(path, 'rb') as disk:
            disk.seek(slot * SLOT)
            sector = disk.read(48)
    except OSError:
        return None
    owner = sector[16:48].rstrip(b'\0').decode(errors='replace')
    return struct.unpack('<I', sector[:4])[0] if owner == name else None


class Server:
    """An nbdkit that somebody else runs. With `open_ms` each handshake with it takes so much longer."""

    def __init__(self, directory, name, psk_user=None, open_ms=0):
        self.socket = directory / f'{name}.sock'
        self.disk = directory / f'{name}.disk'
        self.pidfile = directory / f'{name}.pid'
        self.user = psk_user
        self.psk = secrets.token_hex(32) if psk_user else None
        self.keys = directory / f'{name}.keys'
        # While this file is there, every read and write fails.
        self.broken = directory / f'{name}.broken'
        self.filter = ['--filter=delay'] if open_ms else []
        self.parameters = [f'delay-open={open_ms}ms'] if open_ms else []
        self.pid = None
        with open(self.disk, 'ab') as disk:
            disk.truncate(16 * SLOT)
        if self.psk:
            self.keys.touch(0o600)
            self.keys.write_text(f'{self.user}:{self.psk}\n')

    def start(self):
        self.socket.unlink(missing_ok=True)
        self.pidfile.unlink(missing_ok=True)
        tls = ['--tls=require', f'--tls-psk={self.keys}'] if self.psk else []
        subprocess.run(['nbdkit', *tls, *self.filter, '-U', self.socket, '-P', self.pidfile, '--filter=error', 'file', self.disk,
                        'error=EIO', 'error-rate=100%', f'error-file={self.broken}', *self.parameters], check=True)
        wait_until(lambda: self.pidfile.exists() and self.pidfile.read_text().endswith('\n'), f'{self.pidfile}')
        self.pid = int(self.pidfile.read_text())
        return self

    def stop(self):
        if self.pid:
            end_process(self.pid, start_time(self.pid))
            self.pid = None

    def connections(self):
        """How many clients it has: its sockets, but for the one that it listens on."""
        return sum(target.startswith('socket:') for target in open_files(self.pid)) - 1


# ---- the lab -----------------------------------------------------------------------------------------

class Refused(Exception):
    """virthostctl has ended with 1."""


class Lab:
    def __init__(self, build):
        self.virthost = Path(os.environ.get('MUSTER_VIRTHOST', Path(build) / 'examples/virthost/virthost'))
        self.virthostctl = Path(build) / 'examples/virthost/virthostctl'
        # Short: the paths of sockets are.
        self.directory = Path(tempfile.mkdtemp(prefix='virthost-', dir='/tmp'))
        self.config = self.directory / 'config'
        self.state = self.directory / 'state'
        self.socket = self.directory / 'control.sock'
        self.log = self.directory / 'virthost.log'
        self.netns = self.directory.name
        self.daemon = None
        self.servers = {}
        self.items = {}
        self.config.mkdir()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        """Nothing is left: no process, no namespace, no mount, no file."""
        self.kill()
        for _ in range(20):
            left = processes_of(self.directory)
            if not left:
                break
            for pid in left:
                end_process(pid, start_time(pid))
        if Path(f'/run/netns/{self.netns}').exists():
            subprocess.run(['ip', 'netns', 'delete', self.netns], check=False)
        for path in mounts():
            if path.startswith(f'{self.directory}/'):
                subprocess.run(['umount', '--lazy', path], check=False)
        shutil.rmtree(self.directory, ignore_errors=True)

    # ---- config

    def server(self, name, psk_user=None, open_ms=0):
        self.servers[name] = Server(self.directory, name, psk_user, open_ms)
        return self.servers[name]

    def write(self, kind, **item):
        """kind: secrets, networks, pools, guests."""
        directory = self.config / kind
        directory.mkdir(exist_ok=True)
        path = directory / f'{item["name"]}.json'
        path.touch(0o600)
        path.write_text(json.dumps(item, indent=2) + '\n')
        driver = {'secrets': 'secret', 'networks': 'network', 'guests': 'guest'}.get(kind) or item['type']
        self.items[f'{driver}/{item["name"]}'] = item

    def dir_pool(self, name, policy='manual'):
        path = self.directory / name
        path.mkdir(exist_ok=True)
        self.write('pools', name=name, type='dir', path=str(path), policy=policy)

    def mount_pool(self, name, policy='manual'):
        """Its disks are in NAME.source, and seen in NAME while that is mounted."""
        source, path = self.directory / f'{name}.source', self.directory / name
        source.mkdir(exist_ok=True)
        path.mkdir(exist_ok=True)
        self.write('pools', name=name, type='mount', source=str(source), path=str(path), policy=policy)

    def export_pool(self, name, policy='manual', directory=None):
        path = (directory or self.directory) / f'{name}.disk'
        self.write('pools', name=name, type='export', path=str(path), policy=policy)

    def nbd_pool(self, name, policy='manual', psk_user=None, start=True, open_ms=0):
        server = self.server(name, psk_user, open_ms)
        extra = {}
        if psk_user:
            self.write('secrets', name=name, user=psk_user, psk=server.psk)
            extra['secret'] = f'secret/{name}'
        self.write('pools', name=name, type='nbd', socket=str(server.socket), policy=policy, **extra)
        if start:
            server.start()
        return server

    def guest(self, name, policy='manual', **members):
        self.write('guests', name=name, policy=policy, **members)

    # ---- the daemon

    def start(self, *options, wait='settled', wrapper=(), stdin=subprocess.DEVNULL):
        """Start the daemon and wait for a milestone; '': for nothing."""
        log = open(self.log, 'ab')
        self.daemon = subprocess.Popen(
            [*wrapper, self.virthost, '--config', self.config, '--state', self.state, '--socket', self.socket,
             '--netns', self.netns, *options], stdin=stdin, stdout=log, stderr=log)
        log.close()
        if wait:
            self.wait_for(wait)

    def wait_for(self, milestone):
        order = ['none', 'initialized', 'reconciled', 'settled']

        def reached():
            if self.daemon.poll() is not None:
                raise RuntimeError(f'virthost has ended with {self.daemon.returncode}:\n{self.log_tail()}')
            try:
                return order.index(self.status()['milestone']) >= order.index(milestone)
            except Refused:
                return False
        wait_until(reached, f'the bring-up to be {milestone}')

    def kill(self):
        """kill -9."""
        if self.daemon and self.daemon.poll() is None:
            self.daemon.kill()
        if self.daemon:
            self.daemon.wait()

    def terminate(self, signal_number=signal.SIGTERM):
        self.daemon.send_signal(signal_number)
        return self.daemon.wait(PATIENCE)

    def restart(self, *options):
        self.kill()
        self.start(*options)

    def log_tail(self, lines=40):
        return '\n'.join(self.log.read_text(errors='replace').splitlines()[-lines:])

    # ---- virthostctl

    def command(self, *args):
        return [self.virthostctl, '--socket', self.socket, *args]

    def ctl(self, *args):
        done = subprocess.run(self.command(*args), capture_output=True, text=True, timeout=PATIENCE * 2, check=False)
        if done.returncode == 1:
            raise Refused(done.stderr.strip())
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout

    def ctl_later(self, *args):
        """Without waiting for its end."""
        return subprocess.Popen(self.command(*args), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def list(self):
        return {f'{item["driver"]}/{item["name"]}': item for item in json.loads(self.ctl('list', '--json'))}

    def status(self):
        return json.loads(self.ctl('status', '--json'))

    def timeline(self):
        return json.loads(self.ctl('timeline', '--json'))

    def state_of(self, resource):
        return self.list()[resource]['state']

    def is_quiet(self):
        """No resource waits for anything that is on its way."""
        return not any(item['state'] in ('starting', 'stopping') or item.get('condition') in ('probing', 'waiting', 'deferred')
                       for item in self.list().values())

    def wait_quiet(self):
        wait_until(self.is_quiet, 'all resources to settle')

    # ---- what is really there

    def guests(self):
        """The QEMUs that run, by name. Two of one name are one too many."""
        found = {}
        for pid, args in processes_of(self.directory).items():
            if not os.path.basename(args[0]).startswith('qemu-system'):
                continue
            guest = Guest(pid, args)
            if guest.name in found:
                raise AssertionError(f'guest {guest.name} runs twice: {found[guest.name].pid} and {pid}')
            found[guest.name] = guest
        return found

    def counter(self, name):
        item = self.items[f'guest/{name}']
        pool = item.get('pool')
        if pool is None:
            return None
        driver, pool_name = pool.split('/')
        if driver in ('dir', 'mount'):
            directory = pool_name if driver == 'dir' else f'{pool_name}.source'
            return read_counter(self.directory / directory / f'{name}.img', 0, name)
        disk = self.items[pool]['path'] if driver == 'export' else self.servers[pool_name].disk
        return read_counter(disk, item.get('slot', 0), name)

    def wait_counting(self, name, above=-1):
        """The counter when it has gone on."""
        def counted():
            value = self.counter(name)
            return value is not None and value > above
        wait_until(counted, f'guest {name} to count on from {above}')
        return self.counter(name)

    def qmp_status(self, name):
        return qmp(self.guests()[name].observer, 'query-status')['status']

    def export_process(self, name):
        """The nbdkit of a pool that the daemon has started: its pid, or None."""
        wanted = str(self.state / 'run' / f'export-{name}.sock')
        found = [pid for pid, args in processes_of(self.directory).items()
                 if os.path.basename(args[0]).startswith('nbdkit') and wanted in args]
        if len(found) > 1:
            raise AssertionError(f'pool {name} runs twice: {found}')
        return found[0] if found else None

    def bridges(self):
        if not Path(f'/run/netns/{self.netns}').exists():
            return []
        done = subprocess.run(['ip', '-n', self.netns, '-o', 'link', 'show', 'type', 'bridge', 'up'],
                              capture_output=True, text=True, check=False)
        return re.findall(r'^\d+: ([^:@]+)', done.stdout, re.MULTILINE)


def mounts():
    """Where something is mounted. (os.path.ismount sees no directory that is bound within one file system.)"""
    return [line.split()[4] for line in Path('/proc/self/mountinfo').read_text().splitlines()]


def is_mounted(path):
    return str(path) in mounts()


def own_mounts():
    """Go on in a mount namespace of our own: nothing stays mounted, whatever becomes of us."""
    if not mounts_permitted() and subprocess.run(['unshare', '--mount', 'true'], capture_output=True,
                                                 check=False).returncode == 0:
        os.environ[NAMESPACE] = '1'
        os.execvp('unshare', ['unshare', '--mount', sys.executable, *sys.argv])


def mounts_permitted():
    return NAMESPACE in os.environ


def bridges_permitted():
    try:
        return subprocess.run(['unshare', '-n', 'ip', 'link', 'add', 'name', 'try0', 'type', 'bridge'],
                              capture_output=True, check=False).returncode == 0
    except OSError:
        return False
