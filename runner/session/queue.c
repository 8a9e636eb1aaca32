/*
 * The queue: every planned run, by as many workers as there are cores. Which
 * runs count does not depend on who was faster: once a run of a check fails,
 * later seeds of that check are dropped, also those that are already there.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <klinic/cleanup.h>
#include <klinic/command.h>
#include <klinic/splat.h>

#include "session/internal.h"

#define PROGRAM_NAME_CHARS 8
#define TRIES		   3 /* of a run that the machine, not the guest, let down */

struct queue {
	struct ks_session *s;
	pthread_mutex_t lock;
	size_t plan; /* next to hand out */
	unsigned int index;
	unsigned long done, total;
	int64_t begun;
	bool stopped;
	struct kl_error err;
};

static kl_run_failed_fn run_failed;

void kl_session_set_failed_fn(kl_run_failed_fn fn)
{
	run_failed = fn;
}

bool ks_failed(const struct kl_check_evidence *c, const struct kl_run *run)
{
	return run_failed && run_failed(c, run);
}

/* Hands out the next run. The caller holds the lock. */
static bool next_run(struct queue *q, struct ks_plan **ret_plan, unsigned int *ret_index)
{
	for (; q->plan < q->s->n_plans; q->plan++, q->index = 0) {
		struct ks_plan *p = &q->s->plan[q->plan];

		if (q->index >= p->runs || q->index > p->stop_after)
			continue;
		*ret_plan = p;
		*ret_index = q->index++;
		return true;
	}
	return false;
}

/* Another name in each run, so that no code can tell the check from any program. */
static void name_program(struct kl_job *job)
{
	static const char stream[] = "name";
	uint8_t draw[32];

	kl_keyed_hash(job->challenge, sizeof(job->challenge), stream, sizeof(stream), draw);
	for (size_t i = 0; i < PROGRAM_NAME_CHARS; i++)
		job->program_name[i] = (char)('a' + draw[i] % 26);
}

static void fill_job(const struct ks_session *s, const struct ks_plan *p, uint64_t seed,
		     struct kl_job *job)
{
	const struct kl_check *c = p->check;

	*job = (struct kl_job){
		.module_ko = p->flavour->module.ko,
		.module_name = s->exercise->module,
		.module_params = "",
		.program = p->program,
		.seed = seed,
		.guest_seconds = c->guest_seconds,
		.unload = c->unload,
		.leaks = c->leaks,
		.on_console = s->options->on_console,
		.arg = s->options->arg,
	};
	if (c->schedule != KL_SCHEDULE_NONE && c->mode == KL_MODE_EXACT) {
		job->sched_ko = p->flavour->kernel.sched_ko;
		job->points = &p->flavour->module.undefined;
		job->preempt_percent = c->preempt_percent;
		job->depth = c->schedule == KL_SCHEDULE_PCT ? c->depth : 0;
	}
	ks_challenge(s->exercise, s->submission, c, seed, job->challenge);
	name_program(job);
	job->bare = s->options->bare;
	if (!job->bare)
		ks_canary(s, p, job);
}

/* A run that could not be made at all is evidence too: of the machine, not of the submission. */
static int lost(struct kl_run *run, uint64_t seed, const struct kl_error *why)
{
	*run = (struct kl_run){ .seed = seed, .end = KL_END_LOST, .unload_status = 1 };
	run->said = strdup(why->message);
	run->console = strdup("");
	return run->said && run->console ? 0 : -1;
}

bool ks_is_infra(const struct kl_run *run)
{
	return run->end == KL_END_LOST || run->end == KL_END_WALL_NET;
}

/* Going over the net took long enough, and would again. */
static bool may_go_better(const struct kl_run *run)
{
	return run->end == KL_END_LOST;
}

/* How graders see this plan, for the question whether a run failed. */
static bool failed(const struct ks_plan *p, const struct kl_run *run)
{
	struct kl_check_evidence c = {
		.check = p->check->id,
		.title = p->check->title,
		.flavour = p->flavour->name,
		.mode = p->check->mode,
		.hidden = p->check->hidden,
		.planned = p->runs,
		.leaks = p->check->leaks,
	};

	memcpy(c.tolerate, p->check->tolerate, sizeof(c.tolerate));
	return ks_failed(&c, run);
}

/* What a run says, read once: while its guest still stands, or after its end. */
struct reading {
	const struct ks_plan *plan;
	const struct kl_job *job;
	bool done;
	struct kl_error err; /* when it could not be read */
};

static int read_run(struct reading *r, struct kl_run *run, const struct kl_slots *slots,
		    struct kl_error *err)
{
	r->done = true;
	return ks_expect(r->plan, r->job->challenge, slots, run, err) ||
			       kl_splat_parse(run->console, strlen(run->console), &run->findings,
					      err)
		       ? -1
		       : 0;
}

/* What has failed already needs no canary. */
static bool holds(struct kl_run *run, const struct kl_slots *slots, void *arg)
{
	struct reading *r = arg;

	return !read_run(r, run, slots, &r->err) && !failed(r->plan, run);
}

static int make_run(const struct ks_session *s, struct ks_plan *p, unsigned int index,
		    struct kl_run *ret, struct kl_error *err)
{
	uint64_t seed = p->first_seed + index;
	struct kl_template *t = p->flavour->template[p->check->mode];
	struct kl_job job;

	fill_job(s, p, seed, &job);
	for (int i = 0;; i++) {
		struct reading reading = { .plan = p, .job = &job, .err = KL_ERROR_INIT };
		KL_AUTO(kl_run_deinit) struct kl_run run = { 0 };
		KL_AUTO(ks_look_deinit) struct ks_look look = { .dump = -1 };
		struct kl_slots slots = { 0 };

		job.holds = holds;
		job.holds_arg = &reading;
		ks_look_prepare(&look, p, index, &job);
		if (kl_vm_run(t, &job, &run, &slots, err)) {
			if (err->class != KL_INFRA)
				return -1;
			if (lost(&run, seed, err))
				return kl_fail(err, KL_INFRA, "out of memory");
		}
		if (reading.err.class) {
			*err = reading.err;
			return -1;
		}
		if (may_go_better(&run) && i + 1 < TRIES)
			continue;
		if (!ks_is_infra(&run) &&
		    ((!reading.done && read_run(&reading, &run, &slots, err)) ||
		     ks_hear_canary(&job, &run, err) || ks_look_ask(&look, s->exercise, &run, err)))
			return -1;
		*ret = run;
		run = (struct kl_run){ 0 };
		return 0;
	}
}

static void keep_run(struct queue *q, struct ks_plan *p, unsigned int index, struct kl_run *run)
{
	const struct kl_session_options *o = q->s->options;
	/* The net ends a check, so that no guest can hold a machine for a day. */
	bool stop = run->end == KL_END_WALL_NET || (!o->all_seeds && failed(p, run));

	pthread_mutex_lock(&q->lock);
	p->run[index] = *run;
	p->done[index] = true;
	if (stop && index < p->stop_after)
		p->stop_after = index;
	q->done++;
	if (o->progress)
		o->progress("run", q->done, q->total, (kl_now_ns() - q->begun) / 1000000, 0,
			    o->arg);
	pthread_mutex_unlock(&q->lock);
}

static void *work(void *arg)
{
	struct queue *q = arg;

	for (;;) {
		struct kl_error err = KL_ERROR_INIT;
		struct kl_run run = { 0 };
		struct ks_plan *p = NULL;
		unsigned int index = 0;
		bool more;

		pthread_mutex_lock(&q->lock);
		more = !q->stopped && next_run(q, &p, &index);
		pthread_mutex_unlock(&q->lock);
		if (!more)
			return NULL;
		if (!make_run(q->s, p, index, &run, &err)) {
			keep_run(q, p, index, &run);
			continue;
		}
		pthread_mutex_lock(&q->lock);
		if (!q->stopped)
			q->err = err;
		q->stopped = true;
		pthread_mutex_unlock(&q->lock);
		return NULL;
	}
}

static unsigned int count_workers(const struct kl_session_options *o, unsigned long total)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned long n = cores > 0 ? (unsigned long)cores : 1;

	if (o->jobs && o->jobs < n)
		n = o->jobs;
	if (o->on_console)
		n = 1; /* two guests' words would mix */
	return (unsigned int)(n < total ? n : total);
}

/* Runs after the first failure are dropped, whether they were made or not. */
static void drop_late_runs(struct ks_session *s)
{
	for (size_t i = 0; i < s->n_plans; i++) {
		struct ks_plan *p = &s->plan[i];

		for (unsigned int k = p->stop_after + 1; k < p->runs; k++) {
			if (p->done[k])
				kl_run_deinit(&p->run[k]);
			p->done[k] = false;
		}
	}
}

int ks_run_all(struct ks_session *s, struct kl_error *err)
{
	struct queue q = { .s = s, .lock = PTHREAD_MUTEX_INITIALIZER, .begun = kl_now_ns() };
	KL_AUTO_FREE pthread_t *worker = NULL;
	unsigned int n, started = 0;

	for (size_t i = 0; i < s->n_plans; i++)
		q.total += s->plan[i].runs;
	n = count_workers(s->options, q.total);
	worker = calloc(n ? n : 1, sizeof(*worker));
	if (!worker)
		return kl_fail(err, KL_INFRA, "out of memory");
	while (started < n && !pthread_create(&worker[started], NULL, work, &q))
		started++;
	if (!started && n)
		work(&q);
	for (unsigned int i = 0; i < started; i++)
		pthread_join(worker[i], NULL);
	if (q.stopped) {
		*err = q.err;
		return -1;
	}
	drop_late_runs(s);
	for (size_t i = 0; i < s->n_plans; i++)
		ks_look_drop(&s->plan[i]);
	return 0;
}
