/*
 * Set-ups whose last allocations fail, while monitoring reads the list of
 * sessions, under many schedules. A session must be off the list before anything
 * goes that the list shows.
 */
#include "../../handout/checks/capture.h"
#include "accounts.h"

#define BLOCKS	    1
#define GAINS	    16
#define FAILURES    80
#define LISTINGS    120
#define READ_BLOCKS 4

enum { FOUND, WRONG, LISTED, SAMPLES, CLEAN };

#ifdef KL_GUEST
struct scene {
	int unit, list;
	struct capture cap;
	unsigned int allocations; /* of one set-up */
	unsigned int wrong, listed;
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

static void play(unsigned int index, void *arg)
{
	if (index)
		list(arg);
	else
		fail(arg);
}

/* How many allocations one set-up on an idle channel makes: the sweep's number of failures. */
static unsigned int count_allocations(struct scene *s)
{
	struct capture_sweep sweep = capture_sweep(s->unit, &s->cap, NULL, NULL);

	return sweep.finished ? sweep.refused + sweep.recovered : 0;
}

void kl_check_run(const struct kl_challenge *c)
{
	static struct scene s;
	int fd;

	s.unit = kl_open_device("/dev/capunit", O_RDWR);
	capture_init(&s.cap, c, 40, BLOCKS, GAINS);
	s.list = open(CAPTURE_SESSIONS, O_RDONLY);
	s.allocations = count_allocations(&s);
	kl_answer(FOUND, s.allocations > 4);
	if (s.allocations <= 4)
		return;
	kl_threads(2, play, &s);
	kl_answer(WRONG, s.wrong);
	kl_answer(LISTED, s.listed);
	kl_answer(CLEAN, accounts_idle());
	fd = capture_open(s.unit, &s.cap);
	kl_answer(SAMPLES, fd >= 3 ? capture_hash(fd, READ_BLOCKS, KL_HASH_INIT) : 0);
	close(fd);
	close(s.list);
	close(s.unit);
}
#endif

#ifdef KL_ORACLE
void kl_check_expect(const struct kl_challenge *c)
{
	static struct capture cap;

	capture_init(&cap, c, 40, BLOCKS, GAINS);
	kl_expect(FOUND, 1, "set-ups that fail for want of memory, and one that does not");
	kl_expect(WRONG, 0, "failures other than ENOMEM");
	kl_expect(LISTED, LISTINGS, "readings of the list");
	kl_expect(SAMPLES, capture_expect(&cap, 0, READ_BLOCKS, KL_HASH_INIT), "samples read");
	kl_expect(CLEAN, 1, "nothing lives afterwards");
}
#endif
