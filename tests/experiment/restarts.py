# SPDX-License-Identifier: MIT
"""One arm alone, many times: pools of all types, guests on each, and a guest and a pool that users start and stop all the
time, while the daemon dies."""

import random
import sys
import time

import oracle
from arena import Arena, Ledger
from deaths import PHASES, Callback, Random, Store
from lab import nbd_answers, start_time
from progress import Progress
from results import Results

COLUMNS = ['run', 'death', 'at', *PHASES, 'bring_up_ms', 'problems']
STABLE = {'rbd0': 'nbd/rbd', 'rbd1': 'nbd/rbd', 'iscsi0': 'export/iscsi', 'dir0': 'dir/local'}
CHURNED = ['guest/churn', 'nbd/spare']


def set_up(lab):
    lab.nbd_pool('rbd', open_ms=20)
    lab.nbd_pool('spare')
    lab.export_pool('iscsi')
    lab.dir_pool('local')
    for slot, (name, pool) in enumerate(STABLE.items()):
        lab.guest(name, pool=pool, slot=slot, memory=32)
    lab.guest('churn', pool='nbd/rbd', slot=len(STABLE), memory=32)
    lab.start_arm()
    lab.ask_until_done('start', ['nbd/rbd', 'nbd/spare', 'export/iscsi', 'dir/local'])
    lab.start_guests([*STABLE, 'churn'])


def export_identity(lab):
    pid = lab.export_process('iscsi')
    return pid, pid and start_time(pid)


def requests_of(lab):
    """The churned ones, turned over and back."""
    def turned(name):
        return ['stop', 'start'] if lab.ledger.active[name] else ['start', 'stop']
    return [(verb, name) for name in CHURNED for verb in turned(name)]


# ---- what is wrong -------------------------------------------------------------------------------------

def problems_of_pools(lab, export_before):
    pools = ['rbd'] + (['spare'] if lab.ledger.active['nbd/spare'] else [])
    problems = [f'nbd/{pool}: not connected, or no server' for pool in oracle.silent_servers(lab, pools)]
    if lab.ledger.active['nbd/spare'] is False and lab.servers['spare'].connections() != 0:
        problems.append('nbd/spare: connected, though its stop was acknowledged')
    if export_identity(lab) != export_before:
        problems.append('export/iscsi: another process')
    elif not nbd_answers(lab.state / 'run' / 'export-iscsi.sock'):
        problems.append('export/iscsi: does not greet')
    return problems


def problems_of_list(lab, runs):
    """The daemon says what is there."""
    listed = lab.list()
    problems = [f'{name}: the daemon says {listed[name]["state"]}'
                for name in ('nbd/rbd', 'export/iscsi', 'dir/local') if listed[name]['state'] != 'active']
    for name in [*STABLE, 'churn']:
        item = listed[f'guest/{name}']
        said = item['pid'] if item['state'] == 'active' else None
        if said != (runs[name].pid if name in runs else None) or item['degraded']:
            problems.append(f'guest/{name}: the daemon says {item["state"]}, pid {item["pid"]}')
    return problems


def problems_of_churned(lab, runs):
    """As acknowledged; what was asked for and not acknowledged may be either way, and is known from now on."""
    is_active = {'guest/churn': 'churn' in runs, 'nbd/spare': lab.servers['spare'].connections() > 0}
    problems = [f'{name}: {"active" if active else "inactive"}, and the opposite had been acknowledged'
                for name, active in is_active.items() if lab.ledger.active[name] not in (None, active)]
    lab.ledger.active.update(is_active)
    return problems


def look_for_problems(lab, before, export_before):
    lab.wait_quiet()
    try:
        runs = lab.guests()
    except AssertionError as twice:
        return [str(twice)]
    lost = oracle.judge(lab, before)
    problems = [f'guest/{name}: {oracle.REASONS[reason]}' for name, reason in lost.items()]
    problems += problems_of_churned(lab, runs)
    return problems + problems_of_pools(lab, export_before) + problems_of_list(lab, runs)


# ---- the runs ------------------------------------------------------------------------------------------

class Restarts:
    """`options`: output, arm, seed, runs, resume."""

    def __init__(self, build, options):
        self.build = build
        self.options = options
        self.results = Results(options.output / 'restarts.csv', COLUMNS, options.resume)
        self.progress = Progress(options.runs, min(options.runs, len(self.results.rows)))
        self.deaths = [Random(), Callback(), Store()]

    def one(self, lab, number):
        rng = random.Random(f'{self.options.seed} {number}')
        death = self.deaths[number % len(self.deaths)]
        before = oracle.look(lab)
        requests = requests_of(lab)
        export_before = export_identity(lab)
        at, died = death.die(lab, rng, requests)
        before.pop('churn', None)
        began = time.monotonic()
        lab.start_arm()
        took = time.monotonic() - began
        problems = look_for_problems(lab, before, export_before)
        self.results.add(run=number, death=death.name, at=at, **{phase: died[phase] for phase in PHASES},
                         bring_up_ms=round(took * 1000), problems='; '.join(problems))
        return death, at, problems

    def keep_log(self, lab, what):
        print(f'\n{what}', file=sys.stderr)
        with open(self.options.output / 'lost.log', 'a') as file:
            file.write(f'{what}\n{lab.log_tail(200)}\n\n')

    def play(self, lab, numbers):
        """Goes on until something is wrong: the guests are made anew then."""
        for number in numbers:
            death, at, problems = self.one(lab, number)
            self.progress.step(f'{death.name} {at}, {self.wrong()} wrong')
            if problems:
                self.keep_log(lab, f'run {number}, seed {self.options.seed}, {death.name} {at}: {"; ".join(problems)}')
                return

    def wrong(self):
        return sum(1 for row in self.results.rows if row['problems'])

    def run(self):
        """How many restarts were not as they should be."""
        numbers = iter(range(len(self.results.rows), self.options.runs))
        try:
            while len(self.results.rows) < self.options.runs:
                with Arena(self.build, self.options.arm) as lab:
                    lab.ledger = Ledger(self.options.output / 'restarts-requests.csv')
                    try:
                        set_up(lab)
                        self.play(lab, numbers)
                    except (TimeoutError, RuntimeError):
                        print(f'the last lines of the daemon:\n{lab.log_tail(60)}', file=sys.stderr)
                        raise
                    finally:
                        lab.ledger.close()
        finally:
            self.progress.end()
            self.results.close()
        return self.wrong()
