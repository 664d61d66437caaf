# SPDX-License-Identifier: MIT
"""Crash points: what they are, and what happens at one."""

import collections
import hashlib
import os
import re
import shutil
import subprocess

SECTOR = 512
# As in model.h.
EXTRA_STEPS = 2

# kind: one of the tracer's, or
#   killed  the process is killed; another one opens the store, and the power goes after it has told what is there
#   again   the power goes, which is looked at as with lost, and then in a copy again at each call of the recovery
# at: the call before which it happens, from 1. fail: which sync fails before that, 0 none.
Point = collections.namedtuple('Point', 'scenario kind at fail')
Scenario = collections.namedtuple('Scenario', 'name stores steps')
Call = collections.namedtuple('Call', 'name path offset size')

WORDS = {'lost': 'power failures', 'first': 'writes torn first', 'last': 'torn last', 'hole': 'with a hole', 'kill': 'kills',
         'killed': 'kills and power failures', 'again': 'in recoveries'}
# The sectors that a write needs to be torn so.
TORN = {'first': 2, 'last': 2, 'hole': 3}


class Lost(Exception):
    """What was acknowledged isn't there, or something else is."""


class Broken(Exception):
    """The test itself doesn't work."""


class Told:
    """What the tracer and the writer have said."""

    def __init__(self, text, steps):
        self.lines = [line.split() for line in text.splitlines()]
        self.outcomes = ['n'] * (steps + EXTRA_STEPS)
        for words in self.lines:
            if words[0] in ('begin', 'end'):
                self.outcomes[int(words[1])] = words[2]

    def last(self, word):
        found = [words for words in self.lines if words[0] == word]
        return found[-1] if found else None

    def after(self, outcomes):
        """A recovery: what it was told, and what it has told."""
        saw = self.last('saw')
        seen = saw[2] if saw else '?'
        return [b if b != 'n' else seen if a == '?' else a for a, b in zip(outcomes, self.outcomes)]

    def refused(self):
        """Steps that have not simply worked."""
        return [int(words[1]) for words in self.lines if words[0] == 'end' and words[2] != 'y']


class Bench:
    """A disk, a store on it, and a writer of the library or of a mutant."""

    def __init__(self, disk, store, programs, writer):
        self.disk, self.store, self.writer = disk, store, writer
        self.tracer = programs.tracer
        self.scenarios = programs.scenarios

    def place(self, directory):
        return f'journal:{directory}/state' if self.store == 'journal' else f'sqlite:{directory}/db'

    def execute(self, command):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                              errors='replace', timeout=180)
        return done.returncode, done.stdout

    def trace(self, directory, scenario, mode, options, outcomes=None):
        command = [self.tracer, '--mount', self.disk.mount_point, '--pages', self.disk.pages, *options]
        if self.disk.copied:
            command.append('--copied')
        command += ['--', self.writer, mode, scenario, self.place(directory)]
        if outcomes is not None:
            command.append(''.join(outcomes))
        code, text = self.execute(command)
        told = Told(text, self.scenarios[scenario].steps)
        if code != 0:
            raise Broken(f'{" ".join(command)}: exit {code}: {text[-500:]}')
        ended = told.last('ended')
        if told.last('died') or (ended and ended[2] not in '01'):
            raise Broken(f'{" ".join(command)}: {text[-500:]}')
        if ended and ended[2] == '1':
            raise Lost(text.strip().splitlines()[-2])
        if len(set(told.refused())) > (1 if told.last('failed') else 0):
            raise Lost(f'steps {told.refused()} have failed')
        return told

    def calls(self, scenario, fail=0):
        """Those of a run without a crash."""
        directory = self.disk.fresh()
        told = self.trace(directory, scenario, 'write', ['--kind', 'list', '--fail', str(fail)])
        return [Call(words[2], words[3], int(words[4]), int(words[5])) for words in told.lines if words[0] == 'call'], told

    def check(self, directory, scenario, outcomes):
        code, text = self.execute([self.writer, 'check', scenario, self.place(directory), ''.join(outcomes)])
        if code == 1:
            raise Lost(text.strip().splitlines()[-1])
        if code != 0:
            raise Broken(f'check {scenario} {"".join(outcomes)}: exit {code}: {text[-500:]}')

    def try_point(self, point):
        """How many crashes that were, by kind. Lost: it went wrong."""
        directory = self.disk.fresh()
        kind = 'kill' if point.kind == 'killed' else 'lost' if point.kind == 'again' else point.kind
        told = self.trace(directory, point.scenario, 'write',
                          ['--kind', kind, '--at', str(point.at), '--fail', str(point.fail)])
        tried = collections.Counter([kind if point.kind == 'again' else point.kind])
        if point.kind == 'killed':
            self.recover_killed(directory, point, told.outcomes)
            return tried
        if kind != 'kill':
            self.disk.restart()
        if point.kind == 'again':
            tried['again'] = self.crash_recovery(directory, point, told.outcomes)
        self.check(directory, point.scenario, told.outcomes)
        return tried

    def recover_killed(self, directory, point, outcomes):
        told = self.trace(directory, point.scenario, 'recover', ['--kind', 'lost', '--at', '1', '--from', 'saw'], outcomes)
        self.disk.restart()
        self.check(directory, point.scenario, told.after(outcomes))

    # States that were recovered before; an event that ends what takes long; a recovery is cut off at one call in so many.
    seen = None
    stop = None
    recovery_stride = 1

    def signature(self, directory, scenario, outcomes):
        """States that differ by random numbers alone are the same."""
        digest = hashlib.sha256((scenario + ''.join(outcomes)).encode())
        for top, names, files in sorted(os.walk(directory)):
            for name in sorted(files):
                digest.update(name.encode())
                if 'lock' not in name:
                    with open(os.path.join(top, name), 'rb') as file:
                        digest.update(re.sub(rb'"(id|crc|check)":"[0-9a-f]*"', b'', file.read()))
        return digest.digest()

    def crash_recovery(self, directory, point, outcomes):
        signature = self.signature(directory, point.scenario, outcomes)
        if self.seen is not None:
            if signature in self.seen:
                return 0
            self.seen.add(signature)
        count, at = 0, 1
        while True:
            copy = f'{directory}-{count}'
            shutil.copytree(directory, copy)
            self.disk.sync()
            try:
                told = self.trace(copy, point.scenario, 'recover', ['--kind', 'lost', '--at', str(at)], outcomes)
                self.disk.restart()
                self.check(copy, point.scenario, told.after(outcomes))
            except Lost as error:
                raise Lost(f'cut off before call {at} of the recovery: {error}') from error
            shutil.rmtree(copy)
            count += 1
            at += self.recovery_stride
            if told.last('ended') or (self.stop and self.stop.is_set()):
                return count


def sectors(call):
    return (call.offset + call.size - 1) // SECTOR - call.offset // SECTOR + 1 if call.size else 0


def is_key(calls, at):
    """Does call `at`, or the one before it, do more than to write?"""
    return any(0 < i <= len(calls) and calls[i - 1].name not in ('pwrite', 'write') for i in (at, at - 1)) or at > len(calls)


def torn(calls, scenario):
    """Each write, torn in each way that it can be."""
    return [Point(scenario, kind, at, 0) for at, call in enumerate(calls, 1) for kind, least in TORN.items()
            if call.name in ('pwrite', 'write') and sectors(call) >= least]


def thin(found, stride, offset=0):
    return found[offset % stride::stride]


def failed_syncs(bench, scenario, stride):
    """Each sync fails, and then there is a crash at each call after it."""
    calls, _ = bench.calls(scenario)
    found = []
    for fail in range(1, 1 + sum(call.name in ('fsync', 'fdatasync') for call in calls)):
        longer, told = bench.calls(scenario, fail)
        before = sum(words[0] == 'call' for words in told.lines[:told.lines.index(told.last('failed'))])
        found += [Point(scenario, 'lost', at, fail) for at in range(before + 1, len(longer) + 2) if is_key(longer, at)]
    return thin(found, stride)


# The power fails before each call of both stores, and before each call of the recovery. How sqlite works is well tested, and how
# we use it is what is looked at here: of what else can happen to it one in so many is tried.
STRIDES = {'journal': {}, 'sqlite': {'torn': 4, 'kill': 4, 'killed': 4, 'fail': 4}}
KINDS = ('write', 'torn', 'kill', 'killed', 'again', 'fail')


def plan(bench, scenario, stride):
    """What is tried: one point in `stride`; of the power failures, more of those that are about more than writes."""
    calls, _ = bench.calls(scenario)
    strides = {kind: stride * STRIDES[bench.store].get(kind, 1) for kind in KINDS}
    # In a short run: each of these is a run of its own for each call of the recovery.
    strides['again'] *= 4 if stride > 10 else 1
    everywhere = range(1, len(calls) + 2)
    keys = [at for at in everywhere if is_key(calls, at)]
    rest = [at for at in everywhere if at not in keys]
    again = set(thin(everywhere, strides['again'], 3))
    lost = again.union(thin(keys, max(stride // 4, 1)), thin(rest, strides['write']))
    found = [Point(scenario, 'again' if at in again else 'lost', at, 0) for at in sorted(lost)]
    found += thin(torn(calls, scenario), strides['torn'])
    for i, kind in enumerate(('kill', 'killed'), 1):
        found += [Point(scenario, kind, at, 0) for at in thin(everywhere, strides[kind], i)]
    found += failed_syncs(bench, scenario, strides['fail'])
    return sorted(found, key=lambda point: point.kind != 'again')


def thinned(store, stride):
    """What is left out, in words."""
    if stride > 1:
        return f'{store}: a short run, one point in {stride} or more'
    strides = sorted(set(STRIDES[store].values()))
    if not strides:
        return f'{store}: everything, before every call'
    return (f'{store}: power failures before every call, of a recovery too; of torn writes, kills and failed syncs one in '
            f'{"-".join(map(str, strides))}')


def for_mutants(planned):
    """All that is cheap, but for plain kills, in an order that mixes the kinds."""
    kinds = {}
    for point in planned:
        point = point._replace(kind='lost') if point.kind == 'again' else point
        if point.kind != 'kill':
            kinds.setdefault((point.scenario, point.kind, point.fail != 0), []).append(point)
    # What catches one is a stretch of calls: so every seventh first, then those between.
    kinds = [[point for first in range(7) for point in found[first::7]] for found in kinds.values()]
    order = []
    for i in range(max(map(len, kinds))):
        order += [found[i] for found in kinds if i < len(found)]
    return order


def describe(point):
    failed = f', sync {point.fail} failed' if point.fail else ''
    return f'{point.scenario}, {point.kind} at call {point.at}{failed}'
