/* What the terminal can show: width, colour (https://no-color.org/), and whether the locale is UTF-8. */
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cli.h"

#define WIDTH_DEFAULT 80
#define WIDTH_MIN     40
#define WIDTH_MAX     120 /* longer lines are hard to read, whatever the window has */

static bool is_terminal(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}

bool cli_stderr_is_terminal(void)
{
	return is_terminal(STDERR_FILENO);
}

bool cli_unicode(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

static unsigned int width(void)
{
	struct winsize w;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) || !w.ws_col)
		return WIDTH_DEFAULT;
	return w.ws_col < WIDTH_MIN ? WIDTH_MIN : w.ws_col > WIDTH_MAX ? WIDTH_MAX : w.ws_col;
}

struct kl_text_style cli_style(bool to_file)
{
	const char *no_color = getenv("NO_COLOR");
	bool terminal = !to_file && is_terminal(STDOUT_FILENO);

	return (struct kl_text_style){
		.color = terminal && !(no_color && *no_color),
		.unicode = cli_unicode(),
		.width = terminal ? width() : WIDTH_DEFAULT,
	};
}

void cli_ascii(char *text)
{
	static const struct {
		const char *from, *to; /* to is never longer */
	} table[] = {
		{ "“", "\"" }, { "”", "\"" }, { "‘", "'" },   { "’", "'" },
		{ "–", "-" },  { "—", "-" },  { "…", "..." }, { "✓", "+" },
		{ "✗", "x" },  { "×", "x" },  { "·", "-" },   { "→", "->" },
	};
	char *out = text;

	for (const char *in = text; *in;) {
		size_t i = 0;

		while (i < KL_ARRAY_SIZE(table) && !kl_str_starts(in, table[i].from))
			i++;
		if (i == KL_ARRAY_SIZE(table)) {
			*out++ = *in++;
			continue;
		}
		in += strlen(table[i].from);
		memcpy(out, table[i].to, strlen(table[i].to));
		out += strlen(table[i].to);
	}
	*out = '\0';
}
