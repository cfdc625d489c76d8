"""hold_thread.py PID NAME: stops the oldest thread of that name, as a thread that hangs stops, until standard input ends.

The rest of the process runs on. By ptrace, so that the program under test needs no door for it."""

import ctypes
import os
import pathlib
import sys

PTRACE_SEIZE = 0x4206
PTRACE_INTERRUPT = 0x4207
# waitpid for threads too.
WALL = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request: int, thread: int) -> None:
    if libc.ptrace(request, thread, None, None) != 0:
        error = ctypes.get_errno()
        sys.exit(f"hold_thread: ptrace of thread {thread}: {os.strerror(error)}")


def find(process: str, name: str) -> int:
    tasks = pathlib.Path("/proc", process, "task")
    found = [int(task.name) for task in tasks.iterdir() if (task / "comm").read_text().strip() == name]
    if not found:
        sys.exit(f"hold_thread: no thread of process {process} is called {name}")
    # Threads that it started itself inherit the name.
    return min(found)


def main() -> None:
    process, name = sys.argv[1:]
    thread = find(process, name)
    ptrace(PTRACE_SEIZE, thread)
    ptrace(PTRACE_INTERRUPT, thread)
    os.waitpid(thread, WALL)
    print("held", flush=True)
    # The kernel lets go of it when this process ends.
    sys.stdin.read()


main()
