/*
 * Ctrl-C and its kin: the first asks every wait to end, so that guests are
 * killed and temporary folders removed on the way out; one that comes while that
 * still goes on (the third) ends klinic at once. Children die with it.
 */
#include <signal.h>
#include <unistd.h>

#include <klinic/command.h>

#include "cli/cli.h"

#define PATIENCE 3

static volatile sig_atomic_t seen;

static void on_signal(int signal)
{
	(void)signal;
	if (++seen >= PATIENCE)
		_exit(CLI_INTERRUPTED);
	kl_interrupt();
}

void cli_catch_signals(void)
{
	const struct sigaction stop = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &stop, NULL);
	/* A reader that goes away (| head) must not leave temporary folders behind. */
	sigaction(SIGPIPE, &ignore, NULL);
}
