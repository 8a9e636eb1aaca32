/* One file's tokens, read once from front to end. */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "policy/names.h"
#include "policy/spots.h"

#define WORDS_MAX	 160
#define PASTED_MAX	 200 /* bytes of a name made by pasting, and tokens looked at for it */
#define PASTED_TRIED_MAX 20000

void pl_spots_deinit(struct pl_spots *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].key);
		free(s->v[i].name);
		free(s->v[i].text);
	}
	free(s->v);
	*s = (struct pl_spots){ 0 };
}

static struct pl_spot *another(struct pl_scan *s)
{
	struct pl_spots *o = s->out;
	struct pl_spot *more;

	if (o->n % 64 == 0) {
		more = realloc(o->v, (o->n + 64) * sizeof(*more));
		if (!more)
			return NULL;
		o->v = more;
	}
	o->v[o->n] = (struct pl_spot){ 0 };
	return &o->v[o->n++];
}

void pl_spot(struct pl_scan *s, size_t i, bool refused, const char *rule, const char *name,
	     const char *fmt, ...)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf shown = KL_BUF_INIT;
	KL_AUTO(kl_buf_deinit) struct kl_buf text = KL_BUF_INIT;
	struct pl_spot *p;
	va_list ap;

	if (s->out->n >= PL_SPOTS_MAX)
		return;
	kl_buf_safe_line(&shown, name, strlen(name), WORDS_MAX);
	kl_buf_printf(&text, "%s ", kl_buf_str(&shown));
	va_start(ap, fmt);
	kl_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	p = another(s);
	if (!p) {
		s->failed = true;
		return;
	}
	*p = (struct pl_spot){ .rule = rule,
			       .key = strdup(name),
			       .name = strdup(kl_buf_str(&shown)),
			       .text = strdup(kl_buf_str(&text)),
			       .line = s->v[i].line,
			       .column = s->v[i].column,
			       .refused = refused };
	if (!p->key || !p->name || !p->text || shown.failed || text.failed)
		s->failed = true;
}

char *pl_text(struct pl_scan *s, size_t i, size_t end)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
	char *ret;

	for (size_t k = i; k < end && b.len < 16 * WORDS_MAX; k++) {
		const struct pl_token *t = &s->v[k];
		bool quoted = t->kind == PL_STRING;

		kl_buf_printf(&b, "%s%s", k > i ? " " : "", quoted ? "\"" : "");
		kl_buf_append(&b, t->text, t->len);
		kl_buf_puts(&b, quoted ? "\"" : "");
	}
	ret = b.failed ? NULL : strdup(kl_buf_str(&b));
	s->failed |= !ret;
	return ret;
}

bool pl_at(const struct pl_scan *s, size_t i, enum pl_kind kind, const char *text)
{
	return i < s->n && pl_is(&s->v[i], kind, text);
}

size_t pl_close(const struct pl_scan *s, size_t i)
{
	size_t depth = 0;

	for (size_t end = i + PL_REACH; i < s->n && i < end; i++) {
		if (s->v[i].kind != PL_PUNCT)
			continue;
		if (strchr("([{", *s->v[i].text))
			depth++;
		else if (strchr(")]}", *s->v[i].text) && --depth == 0)
			return i;
	}
	return s->n;
}

static enum pl_use use_of(const struct pl_scan *s, size_t i)
{
	if (i && (pl_at(s, i - 1, PL_PUNCT, "->") || pl_at(s, i - 1, PL_PUNCT, ".")))
		return PL_MEMBER;
	return pl_at(s, i + 1, PL_PUNCT, "(") ? PL_CALL : PL_NAMED;
}

/* The name that the arguments at i and after it make when they are pasted. */
static void pasted_from(struct pl_scan *s, size_t i, size_t close)
{
	char name[PASTED_MAX];
	size_t len = 0, parts = 0;

	for (size_t k = i; k < close && s->pasted < PASTED_TRIED_MAX; k++) {
		const struct pl_rule *r;

		if (pl_at(s, k, PL_PUNCT, ","))
			continue;
		if (s->v[k].kind != PL_NAME || len + s->v[k].len >= sizeof(name))
			return;
		memcpy(name + len, s->v[k].text, s->v[k].len + 1);
		len += s->v[k].len;
		r = parts++ && ++s->pasted ? pl_rule_of(name, PL_CALL) : NULL;
		if (r && r->refused)
			pl_spot(s, i, true, r->rule, name, "(from parts) %s: %s", r->why,
				r->instead);
	}
}

/* A macro that pastes its arguments: one of the kernel's, or of this file's. */
static void pasted(struct pl_scan *s, size_t i)
{
	static const char kernels[] = "__PASTE ___PASTE CONCATENATE __CONCAT";
	size_t close = i + 1;

	if (!pl_at(s, i + 1, PL_PUNCT, "(") ||
	    !(pl_listed(kernels, s->v[i].text) || kl_strv_has(&s->pasters, s->v[i].text)))
		return;
	while (close < s->n && close < i + PASTED_MAX && !pl_at(s, close, PL_PUNCT, ")"))
		close++;
	for (size_t k = i + 2; k < close; k++)
		pasted_from(s, k, close);
	if (s->pasted >= PASTED_TRIED_MAX && s->out->n < PL_SPOTS_MAX)
		pl_spot(s, i, true, "too-much", s->v[i].text,
			"pastes more names than anybody would read: write them out");
}

/* __attribute__((…)) at i, or [[…]]: the names within. */
static void attributes(struct pl_scan *s, size_t open)
{
	size_t close = pl_close(s, open);

	if (close == s->n)
		pl_spot(s, open, true, "attribute", s->v[open].text,
			"begins attributes without an end: close them");
	for (size_t k = open + 1; k < close && close < s->n; k++) {
		const char *name = s->v[k].text;

		if (s->v[k].kind != PL_NAME)
			continue;
		if (pl_attribute_refused(name))
			pl_spot(s, k, true, "attribute", name,
				"changes how the compiler treats the code: leave that to the "
				"kernel's own macros");
		else if (pl_attribute_flagged(name))
			pl_spot(s, k, false, "attribute", name, "is an unusual attribute");
	}
}

static void attribute_word(struct pl_scan *s, size_t i)
{
	if (pl_at(s, i + 1, PL_PUNCT, "(") && pl_at(s, i + 2, PL_PUNCT, "("))
		attributes(s, i + 1);
	else
		pl_spot(s, i, true, "attribute", s->v[i].text,
			"stands alone: spell the attribute out as __attribute__((…))");
}

static void pragma_operator(struct pl_scan *s, size_t i)
{
	if (pl_at(s, i + 1, PL_PUNCT, "(") && i + 2 < s->n && s->v[i + 2].kind == PL_STRING)
		pl_pragma(s, i, s->v[i + 2].text);
	else
		pl_spot(s, i, true, "pragma", "_Pragma",
			"does not say what it asks for: write the string");
}

static void this_module(struct pl_scan *s, size_t i)
{
	if (pl_at(s, i + 1, PL_PUNCT, "->"))
		pl_spot(s, i, true, "module-trick", "THIS_MODULE->",
			"reaches into the module's own descriptor: leave it to the kernel");
	else if (i >= 2 && pl_at(s, i - 1, PL_PUNCT, "(") &&
		 (pl_at(s, i - 2, PL_NAME, "module_put") ||
		  pl_at(s, i - 2, PL_NAME, "__module_get")))
		pl_spot(s, i - 2, true, "module-trick",
			*s->v[i - 2].text == '_' ? "__module_get(THIS_MODULE)"
						 : "module_put(THIS_MODULE)",
			"has the module count its own users: let the core do it through .owner");
}

/*
 * What is reached from the running task is the kernel's: the detectors keep their
 * switches there. A driver says who calls; as an argument the task is a handle.
 */
static void running_task(struct pl_scan *s, size_t i)
{
	static const char usual[] = "pid tgid comm mm files fs flags group_leader parent signal "
				    "sighand cred real_cred __state exit_state";
	bool handle = i &&
		      (pl_at(s, i - 1, PL_PUNCT, "(") || pl_at(s, i - 1, PL_PUNCT, ",") ||
		       pl_at(s, i - 1, PL_PUNCT, "=")) &&
		      i + 1 < s->n && s->v[i + 1].kind == PL_PUNCT &&
		      strchr("),;=!", *s->v[i + 1].text);

	if (handle ||
	    (pl_at(s, i + 1, PL_PUNCT, "->") && i + 2 < s->n && pl_listed(usual, s->v[i + 2].text)))
		return;
	pl_spot(s, i, false, "task-internals",
		pl_at(s, i + 1, PL_PUNCT, "->") && i + 2 < s->n ? s->v[i + 2].text : "current",
		"reaches into the running task: see what it reads or writes there");
}

static bool is_usual_builtin(const char *name)
{
	static const char list[] =
		"__builtin_expect* __builtin_constant_p __builtin_types_compatible_p "
		"__builtin_offsetof __builtin_choose_expr __builtin_*_overflow "
		"__builtin_unreachable "
		"__builtin_mem* __builtin_str* __builtin_clz* __builtin_ctz* __builtin_ffs* "
		"__builtin_popcount* __builtin_parity* __builtin_bswap* __builtin_prefetch "
		"__builtin_va_* __builtin_object_size __builtin_abs __builtin_isdigit "
		"__builtin_alloca*";

	return pl_listed(list, name);
}

static void look_at_name(struct pl_scan *s, size_t i)
{
	const char *name = s->v[i].text;
	const struct pl_rule *r = pl_rule_of(name, use_of(s, i));

	if (r)
		pl_spot(s, i, r->refused, r->rule, name, "%s: %s", r->why, r->instead);
	else if (!strcmp(name, "__attribute__") || !strcmp(name, "__attribute"))
		attribute_word(s, i);
	else if (!strcmp(name, "_Pragma") || !strcmp(name, "__pragma"))
		pragma_operator(s, i);
	else if (!strcmp(name, "THIS_MODULE"))
		this_module(s, i);
	else if (!strcmp(name, "current") || !strcmp(name, "get_current"))
		running_task(s, i);
	else if (kl_str_starts(name, "__has_include") || !strcmp(name, "__has_embed"))
		pl_has_include(s, i);
	else if (kl_str_starts(name, "__builtin_") && !is_usual_builtin(name))
		pl_spot(s, i, false, "builtin", name, "is an unusual builtin");
	else if (!strcmp(name, "goto") && pl_at(s, i + 1, PL_PUNCT, "*"))
		pl_spot(s, i, false, "computed-goto", "goto *", "goes where a value says");
	pasted(s, i);
}

/* Does an operand of a cast begin here, rather than end a declaration? */
static bool begins_operand(const struct pl_scan *s, size_t i)
{
	if (i >= s->n)
		return false;
	if (s->v[i].kind != PL_PUNCT)
		return true;
	return *s->v[i].text && strchr("(&~-+!*", *s->v[i].text);
}

static void cast(struct pl_scan *s, size_t i, size_t close)
{
	KL_AUTO_FREE char *words = pl_text(s, i, close + 2 < s->n ? close + 2 : s->n);

	if (words)
		pl_spot(s, i, false, "function-pointer-cast", words,
			"makes a function's address of something else");
}

static bool is_function_type(const struct pl_scan *s, const char *name)
{
	static const char list[] =
		"work_func_t irq_handler_t rcu_callback_t initcall_t exitcall_t "
		"ctor_fn_t cmp_func_t dr_release_t poll_queue_proc smp_call_func_t";

	return pl_listed(list, name) || kl_strv_has(&s->functions, name);
}

/* "(" at i: a cast to a pointer to a function, or to a typedef of one? */
static void look_at_cast(struct pl_scan *s, size_t i)
{
	size_t close;

	if (i + 2 < s->n && s->v[i + 1].kind == PL_NAME && pl_at(s, i + 2, PL_PUNCT, ")") &&
	    is_function_type(s, s->v[i + 1].text) && begins_operand(s, i + 3)) {
		cast(s, i, i + 2);
		return;
	}
	for (size_t k = i + 1; k + 2 < s->n && k < i + 12; k++) {
		size_t star = k + 1;

		if (s->v[k].kind == PL_NAME || pl_at(s, k, PL_PUNCT, "*"))
			continue;
		if (!pl_at(s, k, PL_PUNCT, "(") || !pl_at(s, star, PL_PUNCT, "*"))
			return;
		while (star < s->n && (pl_at(s, star, PL_PUNCT, "*") || s->v[star].kind == PL_NAME))
			star++;
		if (!pl_at(s, star, PL_PUNCT, ")") || !pl_at(s, star + 1, PL_PUNCT, "("))
			return;
		close = pl_close(s, star + 1);
		if (pl_at(s, close + 1, PL_PUNCT, ")") && begins_operand(s, close + 2))
			cast(s, i, close + 1);
		return;
	}
}

/* typedef … (*name)(…) */
static void look_at_typedef(struct pl_scan *s, size_t i)
{
	for (size_t k = i + 1; k + 3 < s->n && k < i + 40; k++) {
		if (s->v[k].kind == PL_PUNCT && strchr(";{", *s->v[k].text))
			return;
		if (pl_at(s, k, PL_PUNCT, "(") && pl_at(s, k + 1, PL_PUNCT, "*") &&
		    s->v[k + 2].kind == PL_NAME && pl_at(s, k + 3, PL_PUNCT, ")")) {
			if (kl_strv_add(&s->functions, s->v[k + 2].text))
				s->failed = true;
			return;
		}
	}
}

/* A constant in the kernel's half of the address space; masks are none. */
static void look_at_number(struct pl_scan *s, size_t i)
{
	unsigned long long v = strtoull(s->v[i].text, NULL, 0);

	if (v >= 0xffff800000000000ULL && v < 0xffffffffffff0000ULL && v != 0xffffffff00000000ULL)
		pl_spot(s, i, false, "kernel-address", s->v[i].text,
			"looks like an address of the kernel");
}

static void look_at(struct pl_scan *s, size_t i)
{
	const struct pl_token *t = &s->v[i];

	if (pl_is_asm(t))
		(void)pl_assembly(s, i);
	if (t->kind == PL_NAME)
		look_at_name(s, i);
	if (pl_is(t, PL_NAME, "typedef"))
		look_at_typedef(s, i);
	if (pl_is(t, PL_PUNCT, "("))
		look_at_cast(s, i);
	if (pl_is(t, PL_PUNCT, "[") && pl_at(s, i + 1, PL_PUNCT, "["))
		attributes(s, i);
	if (t->kind == PL_NUMBER)
		look_at_number(s, i);
	if (t->kind == PL_STRING)
		pl_string(s, i);
}

static void scan(struct pl_scan *s)
{
	for (size_t i = 0; i < s->n && !s->failed && s->out->n < PL_SPOTS_MAX; i++) {
		size_t end = i + 1;

		look_at(s, i);
		if (!s->v[i].first || !pl_at(s, i, PL_PUNCT, "#"))
			continue;
		while (end < s->n && !s->v[end].first)
			end++;
		if (pl_directive(s, i, end))
			i = end - 1;
	}
}

int pl_scan_tokens(const struct pl_tokens *t, const char *file, const struct kl_strv *files,
		   struct pl_spots *ret, struct kl_error *err)
{
	struct pl_spots spots = { 0 };
	struct pl_scan s = { .v = t->v, .n = t->n, .file = file, .files = files, .out = &spots };

	scan(&s);
	kl_strv_deinit(&s.functions);
	kl_strv_deinit(&s.pasters);
	if (s.failed) {
		pl_spots_deinit(&spots);
		return kl_fail(err, KL_INFRA, "out of memory");
	}
	*ret = spots;
	return 0;
}
