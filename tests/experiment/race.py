# SPDX-License-Identifier: MIT
"""The race: the daemon is killed and started again, in each arm; which guests are lost?"""

import multiprocessing
import os
import random
import sys
import time
from collections import Counter

import oracle
from arena import ARMS, Arena, Ledger
from plan import Plan, count
from progress import Progress
from results import Results

FORK = multiprocessing.get_context('fork')
COLUMNS = ['round', 'arm', 'guests', 'delay_ms', 'killed_after_ms', 'bring_up_ms', 'lost', *oracle.REASONS, 'missing_before',
           'silent_pools', 'load']


def set_up(lab, block):
    lab.define(block.guests, block.delay_ms)
    lab.start_arm('a')
    lab.ask_until_done('start', [f'nbd/{pool}' for pool in lab.servers])
    lab.start_guests([f'g{number}' for number in range(block.guests)])


def acknowledged_guests(lab):
    return {name.split('/')[1] for name, active in lab.ledger.active.items() if name.startswith('guest/') and active}


def restart(lab, arm, rng):
    """Kill it, start it in that arm, and look; a row's members."""
    before = oracle.look(lab)
    missing = acknowledged_guests(lab) - set(before)
    pause = rng.uniform(0, 0.05)
    time.sleep(pause)
    lab.kill()
    began = time.monotonic()
    lab.start_arm(arm)
    took = time.monotonic() - began
    lab.wait_quiet()
    lost = oracle.judge(lab, before)
    reasons = Counter(lost.values())
    return lost, dict(killed_after_ms=round(pause * 1000), bring_up_ms=round(took * 1000), lost=len(lost),
                      **{reason: reasons[reason] for reason in oracle.REASONS}, missing_before=len(missing),
                      silent_pools=len(oracle.silent_servers(lab)), load=f'{os.getloadavg()[0]:.1f}')


def replace(lab, lost):
    """Make the lost ones again: stop what is still there of them."""
    lab.ask_until_done('stop', [f'guest/{name}' for name, reason in lost.items() if reason != oracle.GONE])
    lab.start_guests(list(lost))


def is_wrong(row):
    return any(int(row[column]) for column in ('lost', 'missing_before', 'silent_pools'))


class Race:
    """In `jobs` processes, each with a daemon, guests and pools of its own."""

    def __init__(self, build, output, seed, plan, resume, jobs=1):
        self.build = build
        self.output = output
        self.seed = seed
        self.plan = Plan(plan)
        self.jobs = jobs
        self.turn = FORK.Value('L')
        self.stopping = FORK.Event()
        self.problems = FORK.SimpleQueue()
        self.results = Results(output / 'race.csv', COLUMNS, resume)
        cells = self.plan.cells()
        done = count(self.results.rows)
        self.progress = Progress(sum(cells.values()), sum(min(done[cell], cells[cell]) for cell in cells))

    def round(self, lab, block, number):
        rng = random.Random(f'{self.seed} {block.guests} {block.delay_ms} {number}')
        for arm in rng.sample(self.plan.arms, len(self.plan.arms)):
            if self.stopping.is_set():
                return
            lost, row = restart(lab, arm, rng)
            self.results.add(round=number, arm=arm, guests=block.guests, delay_ms=block.delay_ms, **row)
            if arm == 'a' and is_wrong(row):
                self.keep_log(lab, f'{block.guests} guests, {block.delay_ms} ms, round {number}: lost {lost}, {row}')
            replace(lab, lost)
            self.progress.step(f'{block.guests} guests, {block.delay_ms} ms, arm {arm} lost {len(lost)}')

    def keep_log(self, lab, what):
        print(f'\narm a: {what}', file=sys.stderr)
        with open(self.output / 'lost.log', 'a') as file:
            file.write(f'{what}\n{lab.log_tail(200)}\n\n')

    def visit(self, block, rounds):
        with Arena(self.build) as lab:
            lab.ledger = Ledger(self.output / 'race-requests.csv')
            try:
                set_up(lab, block)
                for number in rounds:
                    self.round(lab, block, number)
            except (TimeoutError, RuntimeError, AssertionError) as problem:
                print(f'the last lines of the daemon:\n{lab.log_tail(60)}', file=sys.stderr)
                self.problems.put(str(problem))
                sys.exit(1)
            finally:
                lab.ledger.close()

    def take(self, visits):
        """The next one that no process has taken, or None."""
        with self.turn.get_lock():
            turn = self.turn.value
            self.turn.value += 1
            return visits[turn] if turn < len(visits) and not self.stopping.is_set() else None

    def work(self, visits):
        """In a process of its own. If it ends before its time, the others do after their restart."""
        try:
            while visit := self.take(visits):
                self.visit(*visit)
        except BaseException:
            self.stopping.set()
            raise

    def run(self):
        """How many restarts of arm a, those of the runs before it too, were not as they should be."""
        visits = list(self.plan.visits(count(self.results.rows)))
        workers = [FORK.Process(target=self.work, args=(visits,)) for _ in range(self.jobs)]
        for worker in workers:
            worker.start()
        try:
            for worker in workers:
                worker.join()
        finally:
            self.stopping.set()
            for worker in workers:
                worker.join()
            self.progress.end()
            self.results.close()
        if any(worker.exitcode for worker in workers):
            raise RuntimeError('a process of it was killed' if self.problems.empty() else self.problems.get())
        self.results.read()
        return sum(1 for row in self.results.rows if row['arm'] == 'a' and is_wrong(row))

    def is_blind(self):
        """Arm d loses guests every time. Who sees none lost sees nothing."""
        return not any(int(row['lost']) for row in self.results.rows if row['arm'] == 'd')


def describe(plan):
    print(f'{len(plan.cells())} cells, {sum(plan.cells().values())} restarts:')
    for arm in plan.arms:
        print(f'  ({arm}) {ARMS[arm]}')
