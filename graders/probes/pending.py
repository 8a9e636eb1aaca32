"""Which timers, work items and RCU callbacks are pending whose code is a module's?

A timer that is armed, or a work item that is queued, when its module is gone is
a use-after-free to come.
"""

from drgn import FaultError, container_of

LIST_MAX = 4096
QUEUES_MAX = 256
ITEMS_MAX = 256


class Pending:
    def __init__(self, guest):
        self.guest = guest
        self.items = []

    def add(self, kind, entry, func):
        """entry: where the thing itself lies; func: what it will call."""
        guest = self.guest
        place = guest.place(entry)
        function = None
        if place != "gone":
            address = guest.read(lambda: func())
            if address is None:
                return
            address = address.value_()
            if guest.place(address) != "kernel" or place == "kernel":
                place = guest.place(address)
            function = guest.code(address, entry=True)
        if place == "kernel":
            return
        if len(self.items) == ITEMS_MAX:
            guest.complete = False
            return
        # Where the thing itself is gone, what it would call cannot be read any more.
        self.items.append(
            {"kind": kind, "function": function or guest.code(entry), "place": place}
        )

    def timer(self, timer):
        delayed = self.guest.prog["delayed_work_timer_fn"].address_of_().value_()
        at = timer.value_()
        if self.guest.place(at) != "gone":
            function = self.guest.read(lambda: timer.function)
            if function is not None and function.value_() == delayed:
                work = container_of(timer, "struct delayed_work", "timer")
                self.add("delayed-work", at, lambda: work.work.func)
                return
        self.add("timer", at, lambda: timer.function)


def timers(guest, found):
    for cpu in guest.cpus():
        for base in guest.per_cpu("timer_bases", cpu):
            heads = base.vectors.read_()
            for i in range(heads.type_.length):
                if heads[i].first.value_():
                    for timer in guest.hlist(
                        base.vectors[i], "struct timer_list", "entry", LIST_MAX
                    ):
                        found.timer(timer)


def hrtimers(guest, found):
    for cpu in guest.cpus():
        for clock in guest.per_cpu("hrtimer_bases", cpu).clock_base:
            todo = [clock.active.rb_root.rb_root.rb_node]
            for _ in range(LIST_MAX):
                if not todo:
                    break
                at = todo.pop()
                node = guest.read(lambda: at)
                if node is None or not node.value_():
                    continue
                timer = container_of(node, "struct hrtimer", "node.node")
                found.add("hrtimer", timer.value_(), lambda: timer.function)
                todo += [node.rb_left, node.rb_right]
            else:
                guest.complete = False


def works(guest, found):
    pools = {}
    for queue in guest.walk(
        guest.prog["workqueues"].address_of_(), "struct workqueue_struct", "list", QUEUES_MAX
    ):
        for pwq in guest.walk(
            queue.pwqs.address_of_(), "struct pool_workqueue", "pwqs_node", QUEUES_MAX
        ):
            pool = guest.read(lambda: pwq.pool)
            if pool is not None and len(pools) < QUEUES_MAX:
                pools[pool.value_()] = pool
            for work in guest.walk(
                pwq.inactive_works.address_of_(), "struct work_struct", "entry", LIST_MAX
            ):
                found.add("work", work.value_(), lambda: work.func)
    for pool in pools.values():
        for work in guest.walk(
            pool.worklist.address_of_(), "struct work_struct", "entry", LIST_MAX
        ):
            found.add("work", work.value_(), lambda: work.func)
        for worker in guest.walk(
            pool.workers.address_of_(), "struct worker", "node", QUEUES_MAX
        ):
            if guest.read(lambda: worker.current_work):
                found.add("running-work", worker.value_(), lambda: worker.current_func)


def callbacks(guest, found):
    for cpu in guest.cpus():
        at = guest.per_cpu("rcu_data", cpu).cblist.head
        for _ in range(LIST_MAX):
            head = guest.read(lambda: at)
            if head is None or not head.value_():
                break
            found.add("rcu", head.value_(), lambda: head.func)
            at = head.next
        else:
            guest.complete = False


def ask(guest):
    found = Pending(guest)
    for part in timers, hrtimers, works, callbacks:
        try:
            part(guest, found)
        except FaultError:
            guest.complete = False
    return {"items": found.items}
