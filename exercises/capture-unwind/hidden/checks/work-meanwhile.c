/*
 * Set-ups whose last allocations fail, while readers of another channel keep the
 * work queue busy, so that a failed session's work comes late. It must be over
 * before anything goes that it fills or reads. Few preemptions: with many, the work
 * queue's thread always runs ahead of the set-up.
 */
#include "../../handout/checks/capture.h"
#include "accounts.h"

#define BLOCKS	    CAPUNIT_MAX_BLOCKS /* a fill that takes longer than a time slice */
#define GAINS	    16
#define FAILURES    40
#define LISTINGS    60
#define READ_BLOCKS (24 * CAPUNIT_MAX_BLOCKS)

enum { FOUND, WRONG, LISTED, OPENED, SAMPLES, CLEAN };

static inline void other_init(struct capture *cap, const struct kl_challenge *c)
{
	capture_init(cap, c, 40, CAPUNIT_MAX_BLOCKS, GAINS);
	cap->setup.channel = (cap->setup.channel + 1) % CAPUNIT_CHANNELS;
}

#ifdef KL_GUEST
struct scene {
	int unit, list;
	struct capture cap, other;
	unsigned int allocations; /* of one set-up */
	unsigned int wrong, listed, opened;
	uint64_t hash;
};

static void fail(struct scene *s)
{
	for (unsigned int i = 0; i < FAILURES; i++) {
		int fd;

		kl_fail_nth(s->allocations - i % 2);
		fd = capture_open(s->unit, &s->cap);
		s->wrong += fd < 0 && fd != -ENOMEM;
		kl_fail_nth(0);
		if (fd >= 3)
			close(fd);
	}
}

static void list(struct scene *s)
{
	char buf[4096];

	for (unsigned int i = 0; i < LISTINGS; i++)
		s->listed += pread(s->list, buf, sizeof(buf), 0) >= 0;
}

static void capture(struct scene *s)
{
	int fd = capture_open(s->unit, &s->other);

	if (fd < 0)
		return;
	s->opened++;
	s->hash = capture_hash(fd, READ_BLOCKS, s->hash);
	close(fd);
}

static void play(unsigned int index, void *arg)
{
	static void (*const role[])(struct scene * s) = { fail, list, capture };

	role[index](arg);
}

/* How many allocations one set-up on an idle channel makes: the sweep's number of failures. */
static unsigned int count_allocations(struct scene *s)
{
	struct capture_sweep sweep = capture_sweep(s->unit, &s->cap, NULL, NULL);

	return sweep.finished ? sweep.refused + sweep.recovered : 0;
}

void kl_check_run(const struct kl_challenge *c)
{
	static struct scene s = { .hash = KL_HASH_INIT };

	s.unit = kl_open_device("/dev/capunit", O_RDWR);
	capture_init(&s.cap, c, 40, BLOCKS, GAINS);
	other_init(&s.other, c);
	s.list = open(CAPTURE_SESSIONS, O_RDONLY);
	s.allocations = count_allocations(&s);
	kl_answer(FOUND, s.allocations > 4);
	if (s.allocations <= 4)
		return;
	kl_threads(3, play, &s);
	kl_answer(WRONG, s.wrong);
	kl_answer(LISTED, s.listed);
	kl_answer(OPENED, s.opened);
	kl_answer(SAMPLES, s.hash);
	kl_answer(CLEAN, accounts_idle());
	close(s.list);
	close(s.unit);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	static struct capture cap;

	other_init(&cap, c);
	kl_expect(FOUND, 1, "set-ups that fail for want of memory, and one that does not");
	kl_expect(WRONG, 0, "failures other than ENOMEM");
	kl_expect(LISTED, LISTINGS, "readings of the list");
	kl_expect(OPENED, 1, "sessions made beside the failing ones");
	kl_expect(SAMPLES, capture_expect(&cap, 0, READ_BLOCKS, KL_HASH_INIT),
		  "samples of this session");
	kl_expect(CLEAN, 1, "nothing lives afterwards");
}
#endif
