"""Which tasks are there, in which state, and where in the kernel do they stand?

Kernel threads that wait for work in a loop of the kernel's own are counted, not
listed: there are thirty of them, and unwinding each costs more than all else.
"""

from drgn import FaultError, Object
from drgn.helpers.linux.sched import task_state_to_char

from guest import printable, worst

TASKS_MAX = 512
FRAMES_MAX = 32
LISTED_MAX = 128
PF_WQ_WORKER = 0x00000020  # include/linux/sched.h
PF_KTHREAD = 0x00200000


def threads(guest):
    left = TASKS_MAX
    for leader in guest.walk(
        guest.prog["init_task"].tasks.address_of_(), "struct task_struct", "tasks", TASKS_MAX
    ):
        signal = guest.read(lambda: leader.signal)
        if signal is None:
            continue
        for task in guest.walk(
            signal.thread_head.address_of_(), "struct task_struct", "thread_node", left
        ):
            left -= 1
            yield task


def waits_for_work(guest, task):
    state = task_state_to_char(task)
    if task.flags.value_() & PF_WQ_WORKER:
        return state == "I"
    kthread = Object(guest.prog, "struct kthread", address=task.worker_private.value_())
    return state in "IS" and guest.place(kthread.threadfn.value_()) == "kernel"


def trace(guest, task):
    if not task.on_cpu.value_():
        return guest.prog.stack_trace(task)
    # QEMU numbers its register notes by CPU where drgn 0.0.22 looks for a thread's number.
    registers = guest.registers.get(task.thread_info.cpu.value_())
    if registers is None:
        return []
    regs = Object.from_bytes_(guest.prog, "struct pt_regs", registers)
    return [] if regs.cs.value_() & 3 else guest.prog.stack_trace(regs)


def words(guest, frame):
    name = guest.code(frame.pc)
    if frame.is_inline and frame.name:
        name = printable(frame.name.encode()) + ", inlined"
    try:
        path, line, _ = frame.source()
        return f"{name} at {printable(path.removeprefix('./').encode())}:{line}"
    except LookupError:
        return name


def frames(guest, task):
    """Words for each frame, and the places they lie in."""
    said, places = [], set()
    try:
        for frame in trace(guest, task):
            if len(said) == FRAMES_MAX:
                guest.complete = False
                break
            try:
                pc = frame.pc
            except LookupError:
                break
            if pc < 1 << 63:
                break  # user space, or the unwinder lost its way
            places.add(guest.place(pc))
            said.append(words(guest, frame))
    except (FaultError, LookupError, ValueError):
        guest.complete = False
    return said, places


def describe(guest, task):
    said, places = frames(guest, task)
    return {
        "pid": task.pid.value_(),
        "comm": guest.text(task.comm, 16),
        "state": task_state_to_char(task),
        "user": not task.flags.value_() & PF_KTHREAD,
        "place": worst(places),
        "frames": said,
    }


def ask(guest):
    listed, waiting = [], 0
    for task in threads(guest):
        try:
            if task.flags.value_() & PF_KTHREAD and waits_for_work(guest, task):
                waiting += 1
            elif len(listed) == LISTED_MAX:
                guest.complete = False
            else:
                listed.append(describe(guest, task))
        except FaultError:
            guest.complete = False
    return {"items": listed, "waiting": waiting}
