/* Findings: their kinds' spelling, and who owns what. */
#include <klinic/cleanup.h>
#include <klinic/finding.h>

static const char *const kind_names[] = {
	[KL_KIND_KASAN] = "kasan",
	[KL_KIND_KCSAN] = "kcsan",
	[KL_KIND_KFENCE] = "kfence",
	[KL_KIND_KMSAN] = "kmsan",
	[KL_KIND_UBSAN] = "ubsan",
	[KL_KIND_LOCKDEP] = "lockdep",
	[KL_KIND_RCU] = "rcu",
	[KL_KIND_SLEEP_IN_ATOMIC] = "sleep-in-atomic",
	[KL_KIND_HUNG_TASK] = "hung-task",
	[KL_KIND_SOFT_LOCKUP] = "soft-lockup",
	[KL_KIND_RCU_STALL] = "rcu-stall",
	[KL_KIND_KMEMLEAK] = "kmemleak",
	[KL_KIND_REFCOUNT] = "refcount",
	[KL_KIND_LIST] = "list",
	[KL_KIND_ODEBUG] = "odebug",
	[KL_KIND_SLUB] = "slub",
	[KL_KIND_PAGE_FAULT] = "page-fault",
	[KL_KIND_GPF] = "gpf",
	[KL_KIND_BUG] = "bug",
	[KL_KIND_WARN] = "warn",
	[KL_KIND_PANIC] = "panic",
	[KL_KIND_OTHER] = "other",
};
KL_ENUM_DEFINE(kl_kind, enum kl_kind, kind_names, KL_KIND_COUNT);

void kl_finding_deinit(struct kl_finding *f)
{
	free(f->title);
	free(f->function);
	free(f->file);
	free(f->access);
	kl_strv_deinit(&f->trace);
	*f = (struct kl_finding){ 0 };
}

void kl_findings_deinit(struct kl_findings *fs)
{
	for (size_t i = 0; i < fs->n; i++)
		kl_finding_deinit(&fs->v[i]);
	free(fs->v);
	*fs = (struct kl_findings){ 0 };
}

int kl_findings_push(struct kl_findings *fs, struct kl_finding *f)
{
	/* Grown at each power of two, so that the vector needs no field for its room. */
	if ((fs->n & (fs->n - 1)) == 0) {
		size_t room = fs->n ? fs->n * 2 : 1;
		struct kl_finding *v = reallocarray(fs->v, room, sizeof(*v));

		if (!v)
			return -1;
		fs->v = v;
	}
	fs->v[fs->n++] = *f;
	*f = (struct kl_finding){ 0 };
	return 0;
}

static int copy_text(char **to, const char *from)
{
	if (!from)
		return 0;
	*to = strdup(from);
	return *to ? 0 : -1;
}

static int finding_copy(struct kl_finding *to, const struct kl_finding *from)
{
	*to = (struct kl_finding){
		.kind = from->kind,
		.line = from->line,
		.offset = from->offset,
		.length = from->length,
		.time_us = from->time_us,
	};
	if (copy_text(&to->title, from->title) || copy_text(&to->function, from->function) ||
	    copy_text(&to->file, from->file) || copy_text(&to->access, from->access) ||
	    kl_strv_copy(&to->trace, &from->trace)) {
		kl_finding_deinit(to);
		return -1;
	}
	return 0;
}

int kl_findings_copy(struct kl_findings *to, const struct kl_findings *from)
{
	for (size_t i = 0; i < from->n; i++) {
		KL_AUTO(kl_finding_deinit) struct kl_finding f = { 0 };

		if (finding_copy(&f, &from->v[i]) || kl_findings_push(to, &f))
			return -1;
	}
	return 0;
}

static bool known(const struct kl_findings *fs, const struct kl_finding *f)
{
	for (size_t i = 0; i < fs->n; i++)
		if (fs->v[i].kind == f->kind && kl_str_eq(fs->v[i].title, f->title) &&
		    kl_str_eq(fs->v[i].function, f->function))
			return true;
	return false;
}

int kl_findings_unite(struct kl_findings *to, const struct kl_findings *from)
{
	for (size_t i = 0; i < from->n; i++) {
		const struct kl_findings one = { .v = &from->v[i], .n = 1 };

		if (!known(to, &from->v[i]) && kl_findings_copy(to, &one))
			return -1;
	}
	return 0;
}
