/* Golden files. Paths are relative to the top of the tree, where make runs the tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>

#include "golden.h"

static void complain(const char *path, const char *want, const char *got)
{
	unsigned int line = 1;
	size_t i = 0, start = 0;

	for (; want[i] && want[i] == got[i]; i++)
		if (want[i] == '\n') {
			line++;
			start = i + 1;
		}
	fail_msg("%s:%u: expected\n  %.*s\ngot\n  %.*s\n(KLINIC_GOLDEN_UPDATE=1 rewrites it)", path,
		 line, (int)strcspn(want + start, "\n"), want + start,
		 (int)strcspn(got + start, "\n"), got + start);
}

void golden_hold(const char *path, const char *data, size_t len)
{
	KL_AUTO_FREE char *full = kl_path_join("tests/golden", path);
	KL_AUTO(kl_buf_deinit) struct kl_buf want = KL_BUF_INIT;
	struct kl_error err = KL_ERROR_INIT;

	assert_non_null(full);
	if (getenv("KLINIC_GOLDEN_UPDATE")) {
		if (kl_file_write(full, data, len, 0644, &err))
			fail_msg("%s: %s", full, err.message);
		return;
	}
	if (kl_file_read(full, 16UL << 20, &want, &err))
		fail_msg("%s: %s", full, err.message);
	if (want.len != len || memcmp(kl_buf_str(&want), data, len) != 0)
		complain(full, kl_buf_str(&want), data);
}
