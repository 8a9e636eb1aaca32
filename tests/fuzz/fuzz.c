/* What the fuzz targets share (fuzz.h). */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <klinic/cleanup.h>

#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	/* The same order of keys, and the same collisions, in every process. */
	json_object_seed(1);
	return 0;
}

void fuzz_broken(const char *condition, const char *file, int line)
{
	(void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}

char *fuzz_text(const uint8_t *data, size_t size)
{
	char *s = malloc(size + 1);

	FUZZ_MUST(s);
	if (size)
		memcpy(s, data, size);
	s[size] = '\0';
	return s;
}

struct fuzz_file fuzz_file_open(const uint8_t *data, size_t size)
{
	struct fuzz_file f = { .fd = memfd_create("input", MFD_CLOEXEC) };

	FUZZ_MUST(f.fd >= 0);
	FUZZ_MUST(write(f.fd, data, size) == (ssize_t)size);
	(void)snprintf(f.path, sizeof(f.path), "/proc/self/fd/%d", f.fd);
	return f;
}

void fuzz_file_close(struct fuzz_file *f)
{
	close(f->fd);
}

const struct kl_exercise *fuzz_desk(void)
{
	static char dir[] = "tests/fuzz/desk", module[] = "desk";
	static struct kl_exercise e = { .dir = dir, .module = module };

	if (e.editable.n)
		return &e;
	FUZZ_MUST(!kl_strv_add(&e.sources, "desk.c") && !kl_strv_add(&e.imports, "listed_helper") &&
		  !kl_strv_add(&e.editable, "desk.c") && !kl_strv_add(&e.editable, "lib/desk.h"));
	return &e;
}

char *fuzz_dump(const json_t *j)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	struct kl_error err = KL_ERROR_INIT;

	FUZZ_MUST(j && !kl_json_dump(j, &b, &err));
	return kl_buf_steal(&b);
}
