"""Ctrl-C wherever Python checks for signals while a condition takes its lock, and in code of gRPC."""

import signal
import subprocess
import sys
import time
from collections import Counter
from typing import Any

import pytest

from facecli.cli.shared import interrupts

# Interrupts the use of a condition at the first point where Python checks for signals, then at the second,
# and so on. Prints the function that was interrupted, and whether the lock was free afterwards.
SCRIPT = '''
import dis, signal, sys, threading, time
from facecli.cli.shared.interrupts import handle_interrupts

CHECKS = {"RESUME", "CALL", "CALL_FUNCTION_EX", "JUMP_BACKWARD"}

def checks_signals(frame):
    """Whether the instruction before the frame's next one is followed by a check."""
    before = [each for each in dis.get_instructions(frame.f_code) if each.offset < frame.f_lasti]
    return bool(before) and before[-1].opname in CHECKS

def use(condition):
    with condition:
        condition.notify_all()
        condition.wait(0.001)

def interrupted_at(number):
    seen, where = 0, ""

    def trace(frame, event, argument):
        nonlocal seen, where
        if frame.f_code.co_filename != threading.__file__:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and checks_signals(frame):
            seen += 1
            if seen == number:
                where = frame.f_code.co_name
                sys.settrace(None)
                signal.getsignal(signal.SIGINT)(signal.SIGINT, frame)
        return trace

    condition = threading.Condition()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    handle_interrupts()
    try:
        sys.settrace(trace)
        use(condition)
        sys.settrace(None)
        if where:
            time.sleep(60)
    except KeyboardInterrupt:
        pass
    else:
        assert not where, "no KeyboardInterrupt"
        return ""
    free = []
    thread = threading.Thread(target=lambda: free.append(condition.acquire(blocking=False)))
    thread.start()
    thread.join()
    print(where, free[0])
    return where

number = 1
while interrupted_at(number):
    number += 1
'''


def test_an_interrupt_leaves_no_lock_of_a_condition_taken() -> None:
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    points = Counter(tuple(line.split()) for line in ran.stdout.splitlines())
    assert {free for _, free in points} == {"True"}
    assert {name for name, _ in points} >= {"__enter__", "__exit__", "notify_all", "notify", "wait"}
    assert points["wait", "True"] > 3


# Runs as a function of gRPC by the name of its module. Prints what has happened when the interrupt is raised,
# and no traceback of a thread that fails after it.
IN_GRPC = '''
import os, signal, threading, time
from facecli.cli.shared.interrupts import handle_interrupts
handle_interrupts()
done = []
code = """
def start(wait):
    os.kill(os.getpid(), signal.SIGINT)
    done.append("killed")
    if wait:
        time.sleep(60)
    done.append("started")
"""
names = {"__name__": "grpc._channel", "os": os, "signal": signal, "time": time, "done": done}
exec(code, names)
try:
    names["start"](WAIT)
    time.sleep(60)
except KeyboardInterrupt:
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    print(*done)
'''


@pytest.mark.parametrize(("waits", "done"), [(False, "killed started"), (True, "killed")])
def test_an_interrupt_lets_grpc_start_an_operation_but_not_wait(waits: bool, done: str) -> None:
    script = IN_GRPC.replace("WAIT", str(waits))
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == (f"{done}\n", "")


def test_an_interrupt_is_raised_even_if_grpc_goes_on_for_long() -> None:
    names: dict[str, Any] = {"__name__": "grpc._channel", "sys": sys}
    exec("def frame(): return sys._getframe()", names)
    with pytest.raises(KeyboardInterrupt):
        interrupts._raise_when_safe(time.monotonic(), signal.SIGINT, names["frame"]())
