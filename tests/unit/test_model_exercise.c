/* exercise.yaml: what is read, what is assumed, what is refused and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <klinic/cleanup.h>
#include <klinic/exercise.h>
#include <klinic/file.h>

#include "lab.h"

static struct lab lab;
static struct kl_exercise e;
static struct kl_error err;

static int setup(void **state)
{
	(void)state;
	lab_create(&lab);
	e = (struct kl_exercise){ 0 };
	err = KL_ERROR_INIT;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kl_exercise_deinit(&e);
	lab_destroy(&lab);
	return 0;
}

static void parse(const char *text)
{
	if (kl_exercise_parse("exercise.yaml", text, strlen(text), &e, &err))
		fail_msg("%u:%u: %s", err.line, err.column, err.message);
}

/* Takes the @ out of text and tells where it stood: the place that the complaint must name. */
static void take_mark(char *text, unsigned int *line, unsigned int *column)
{
	char *at = strchr(text, '@');

	assert_non_null(at);
	*line = *column = 1;
	for (const char *p = text; p < at; p++) {
		(*column)++;
		if (*p == '\n') {
			(*line)++;
			*column = 1;
		}
	}
	memmove(at, at + 1, strlen(at));
}

static void expect_place(const char *to, unsigned int line, unsigned int column, const char *part)
{
	assert_int_equal(err.class, KL_CONTENT);
	if (!strstr(err.message, part) || err.line != line || err.column != column)
		fail_msg("“%s”: got %u:%u: %s; expected %u:%u: %s", to, err.line, err.column,
			 err.message, line, column, part);
	err = KL_ERROR_INIT;
}

/* from is replaced by to, which has an @ where the complaint must point. */
static void refused(const char *from, const char *to, const char *part)
{
	KL_AUTO_FREE char *text = lab_replace(lab_exercise_yaml, from, to);
	unsigned int line, column;

	take_mark(text, &line, &column);
	if (!kl_exercise_parse("exercise.yaml", text, strlen(text), &e, &err))
		fail_msg("“%s” was accepted", to);
	assert_null(e.id);
	expect_place(to, line, column, part);
}

static void refused_on_load(const char *from, const char *to, const char *part)
{
	KL_AUTO_FREE char *text = lab_replace(lab_exercise_yaml, from, to);
	unsigned int line, column;

	take_mark(text, &line, &column);
	lab_put(&lab, text, "exercises/stash-replace/exercise.yaml");
	if (!kl_exercise_load(lab.dir, &e, &err))
		fail_msg("“%s” was accepted", to);
	assert_non_null(strstr(err.path, "exercise.yaml"));
	expect_place(to, line, column, part);
}

static void test_every_key_is_read(void **state)
{
	const struct kl_check *c;

	(void)state;
	parse(lab_exercise_yaml);
	assert_string_equal(e.id, "stash-replace");
	assert_string_equal(e.title, "Readers meet a replacing writer");
	assert_int_equal(e.kind, KL_EXERCISE_FIX);
	assert_int_equal(e.tracks.n, 2);
	assert_int_equal(e.stage, 4);
	assert_int_equal(e.level, KL_LEVEL_INTERMEDIATE);
	assert_int_equal(e.minutes, 60);
	assert_string_equal(e.subsystem, "char-misc");
	assert_string_equal(e.bug_class, "use-after-free");
	assert_string_equal(e.dimensions.v[1], "concurrency");
	assert_string_equal(e.rubric, "panel");
	assert_string_equal(e.flavours.v[0], "kasan");
	assert_string_equal(e.module, "stashbox");
	assert_string_equal(e.sources.v[0], "stashbox.c");
	assert_string_equal(e.editable.v[1], "include/stashbox.h");
	assert_string_equal(e.imports.v[0], "synchronize_rcu");
	assert_int_equal(e.n_hints, 1);
	assert_string_equal(e.hints[0].text, "Who frees it?");
	assert_int_equal(e.hints[0].cost, 1);
	c = kl_exercise_check(&e, "readers-and-writer");
	assert_non_null(c);
	assert_true(c->hidden);
	assert_string_equal(c->title, "Readers beside a writer");
	assert_string_equal(c->program, "hidden/checks/readers.c");
	assert_string_equal(c->flavour, "plain");
	assert_int_equal(c->mode, KL_MODE_PARALLEL);
	assert_int_equal(c->schedule, KL_SCHEDULE_RANDOM);
	assert_int_equal(c->preempt_percent, 35);
	assert_int_equal(c->seeds, 8);
	assert_int_equal(c->first_seed, 11);
	assert_int_equal(c->guest_seconds, 20);
	assert_false(c->unload);
	assert_true(c->leaks);
	assert_int_equal(c->points, 3);
	assert_int_equal(c->dimensions.n, 1);
	assert_true(c->tolerate[KL_KIND_WARN] && c->tolerate[KL_KIND_SLUB]);
	assert_false(c->tolerate[KL_KIND_KASAN]);
	assert_true(c->probes[KL_PROBE_PENDING] && c->probes[KL_PROBE_HELD_LOCKS]);
	assert_false(c->probes[KL_PROBE_TASKS] || c->probes[KL_PROBE_SLABS]);
}

static void test_a_check_may_have_the_schedule_pct_with_a_depth(void **state)
{
	KL_AUTO_FREE char *text =
		lab_replace(lab_exercise_yaml, "schedule: random", "schedule: pct\n      depth: 3");
	const struct kl_check *c;

	(void)state;
	parse(text);
	c = kl_exercise_check(&e, "readers-and-writer");
	assert_int_equal(c->schedule, KL_SCHEDULE_PCT);
	assert_int_equal(c->depth, 3);
}

static void test_a_depth_is_for_pct_alone_and_from_one_to_three(void **state)
{
	(void)state;
	refused("schedule: random", "schedule: pct\n      depth: @4", "depth");
	refused("schedule: random", "schedule: pct\n      depth: @0", "depth");
	refused("schedule: random", "schedule: random\n      depth: @2", "schedule is random");
	refused("      schedule: random\n", "      depth: @2\n", "schedule is none");
}

static void test_optional_keys_of_a_check_have_the_documented_defaults(void **state)
{
	const struct kl_check *c;

	(void)state;
	parse(lab_exercise_yaml);
	c = kl_exercise_check(&e, "reproducer");
	assert_non_null(c);
	assert_false(c->hidden);
	assert_string_equal(c->flavour, "kasan");
	assert_int_equal(c->mode, KL_MODE_EXACT);
	assert_int_equal(c->schedule, KL_SCHEDULE_NONE);
	assert_int_equal(c->preempt_percent, 30);
	assert_int_equal(c->depth, 2);
	assert_int_equal(c->seeds, 1);
	assert_int_equal(c->first_seed, 1);
	assert_int_equal(c->guest_seconds, 30);
	assert_true(c->unload);
	assert_false(c->leaks);
	assert_int_equal(c->points, 1);
	assert_int_equal(c->dimensions.n, 2);
	for (int i = 0; i < KL_KIND_COUNT; i++)
		assert_false(c->tolerate[i]);
	for (int i = 0; i < KL_PROBE_COUNT; i++)
		assert_false(c->probes[i]);
}

static void test_checks_keep_their_order_visible_ones_first(void **state)
{
	(void)state;
	parse(lab_exercise_yaml);
	assert_int_equal(e.n_checks, 2);
	assert_string_equal(e.checks[0].id, "reproducer");
	assert_string_equal(e.checks[1].id, "readers-and-writer");
	assert_null(kl_exercise_check(&e, "none-such"));
}

static void test_unknown_keys_are_refused_at_every_depth(void **state)
{
	(void)state;
	refused("stage: 4", "@stages: 4", "stages");
	refused("  flavours: [kasan, plain]", "  flavours: [kasan, plain]\n  @version: 6",
		"version");
	refused("  sources:", "  @source:", "source");
	refused("  visible:", "  @shown:", "shown");
	refused("      seeds: 8", "      @seed: 8", "seed");
	refused("    cost: 1", "    cost: 1\n    @price: 2", "price");
}

static void test_missing_keys_are_refused(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"title: Readers meet a replacing writer\n",
		"kind: fix\n",
		"tracks: [interview, ci]\n",
		"stage: 4\n",
		"level: intermediate\n",
		"minutes: 60\n",
		"subsystem: char-misc\n",
		"bug_class: use-after-free\n",
		"dimensions: [debugging-rca, concurrency]\n",
		"rubric: panel\n",
		"kernel:\n  flavours: [kasan, plain]\n",
		"  name: stashbox\n",
		"      title: Readers beside a writer\n",
		"      program: hidden/checks/readers.c\n",
		"editable: [stashbox.c, include/stashbox.h]\n",
	};

	for (size_t i = 0; i < KL_ARRAY_SIZE(lines); i++) {
		KL_AUTO_FREE char *text = lab_replace(lab_exercise_yaml, lines[i], "");
		const char *key = lines[i] + strspn(lines[i], " ");
		KL_AUTO_FREE char *name = strndup(key, strcspn(key, ":"));

		assert_int_equal(kl_exercise_parse("e", text, strlen(text), &e, &err), -1);
		assert_int_not_equal(err.line, 0);
		if (!strstr(err.message, name))
			fail_msg("without %s: %s", name, err.message);
	}
}

static void test_wrong_types_are_refused(void **state)
{
	(void)state;
	refused("stage: 4", "stage: @four", "stage");
	refused("title: Readers meet a replacing writer", "title: @[a]", "title");
	refused("tracks: [interview, ci]", "tracks: @interview", "tracks");
	refused("kernel:\n  flavours: [kasan, plain]", "kernel: @kasan", "kernel");
	refused("unload: false", "unload: @0", "unload");
	refused("tolerate: [warn, slub]", "tolerate: @warn", "tolerate");
	refused("probes: [pending, held-locks]", "probes: @pending", "probes");
	refused("hints:\n  - text: Who frees it?\n    cost: 1\n", "hints: @none\n", "hints");
}

static void test_values_out_of_range_are_refused(void **state)
{
	(void)state;
	refused("stage: 4", "stage: @8", "stage");
	refused("stage: 4", "stage: @0", "stage");
	refused("minutes: 60", "minutes: @0", "minutes");
	refused("seeds: 8", "seeds: @1025", "seeds");
	refused("seeds: 8", "seeds: @0", "seeds");
	refused("first_seed: 11", "first_seed: @-1", "first_seed");
	refused("preempt_percent: 35", "preempt_percent: @101", "preempt_percent");
	refused("guest_seconds: 20", "guest_seconds: @0", "guest_seconds");
	refused("points: 3", "points: @-1", "points");
	refused("    cost: 1", "    cost: @-1", "cost");
}

static void test_unknown_words_are_refused(void **state)
{
	(void)state;
	refused("kind: fix", "kind: @fox", "fix");
	refused("level: intermediate", "level: @middling", "advanced");
	refused("mode: parallel", "mode: @smp", "exact");
	refused("schedule: random", "schedule: @wild", "none");
	refused("tracks: [interview, ci]", "tracks: [interview, @cd]", "mentoring");
	refused("tolerate: [warn, slub]", "tolerate: [warn, @slob]", "slub");
	refused("probes: [pending, held-locks]", "probes: [pending, @locks]", "held-locks");
	refused("probes: [pending, held-locks]", "probes: [pending, @pending]", "twice");
}

static void test_ids_and_names_have_a_shape(void **state)
{
	(void)state;
	refused("id: stash-replace", "id: @Stash", "lowercase");
	refused("    - id: reproducer", "    - id: @../x", "lowercase");
	refused("[debugging-rca, concurrency]", "[@Debugging, concurrency]", "lowercase");
	refused("flavours: [kasan, plain]", "flavours: [@../kasan, plain]", "lowercase");
	refused("name: stashbox", "name: @stash/box", "module name");
	refused("name: stashbox", "name: @a234567890123456789012345678901234567890123456789012345x",
		"module name");
	refused("imports: [synchronize_rcu]", "imports: [@a-b]", "symbol");
	refused("title: Readers meet a replacing writer", "title: @\"two\\nlines\"", "one line");
}

static void test_paths_are_plain_and_stay_in_their_half(void **state)
{
	(void)state;
	refused("sources: [stashbox.c]", "sources: [@../stashbox.c]", "plain");
	refused("sources: [stashbox.c]", "sources: [@/stashbox.c]", "plain");
	refused("sources: [stashbox.c]", "sources: [@stashbox.o]", ".c file");
	refused("editable: [stashbox.c,", "editable: [@../stashbox.c,", "plain");
	refused("editable: [stashbox.c,", "editable: [@\"stash box.c\",", "plain");
	refused("program: handout/checks", "program: @hidden/checks", "below handout/");
	refused("program: hidden/checks", "program: @handout/checks", "below hidden/");
	refused("program: hidden/checks", "program: @hidden/../handout", "plain");
}

static void test_build_files_and_dot_files_are_never_editable(void **state)
{
	(void)state;
	refused("editable: [stashbox.c,", "editable: [@Kbuild,", "klinic's");
	refused("editable: [stashbox.c,", "editable: [@sub/Makefile,", "klinic's");
	refused("editable: [stashbox.c,", "editable: [@.gitattributes,", "klinic's");
	refused("editable: [stashbox.c,", "editable: [@sub/.git/config,", "klinic's");
}

static void test_a_visible_program_is_never_editable(void **state)
{
	(void)state;
	refused("editable: [stashbox.c, include/stashbox.h]\nimports: [synchronize_rcu]\n"
		"checks:\n  visible:\n    - id: reproducer\n      title: Reads and replaces\n"
		"      program: handout",
		"editable: [checks/reproducer.c]\n"
		"checks:\n  visible:\n    - id: reproducer\n      title: Reads and replaces\n"
		"      program: @handout",
		"cannot be editable");
}

static void test_references_inside_the_document_must_exist(void **state)
{
	(void)state;
	refused("flavour: plain", "flavour: @kcsan", "flavours");
	refused("      dimensions: [concurrency]", "      dimensions: [@performance]",
		"dimensions");
}

static void test_check_ids_are_unique_over_visible_and_hidden(void **state)
{
	(void)state;
	refused("- id: readers-and-writer", "- id: @reproducer", "line 21");
}

static void test_a_module_of_several_sources_has_none_of_its_own_name(void **state)
{
	(void)state;
	refused("sources: [stashbox.c]", "sources: [core.c, @stashbox.c]", "rename");
}

static void test_lists_that_must_have_entries(void **state)
{
	(void)state;
	refused("editable: [stashbox.c, include/stashbox.h]", "editable: @[]", "editable");
	refused("flavours: [kasan, plain]", "flavours: @[]", "flavours");
	refused("tracks: [interview, ci]", "tracks: @[]", "tracks");
	refused("[debugging-rca, concurrency]", "@[]", "dimensions");
}

static void test_an_exercise_without_points_is_refused(void **state)
{
	(void)state;
	refused("checks:\n  visible:\n    - id: reproducer\n      title: Reads and replaces\n"
		"      program: handout/checks/reproducer.c\n  hidden:\n    - id: "
		"readers-and-writer\n"
		"      title: Readers beside a writer\n      program: hidden/checks/readers.c\n"
		"      flavour: plain\n      mode: parallel\n      schedule: random\n"
		"      preempt_percent: 35\n      seeds: 8\n      first_seed: 11\n"
		"      guest_seconds: 20\n      unload: false\n      leaks: true\n      points: 3",
		"checks:\n  @hidden:\n    - id: readers-and-writer\n"
		"      title: Readers beside a writer\n      program: hidden/checks/readers.c\n"
		"      points: 0",
		"no check has a point");
}

static void test_loading_takes_the_folder_and_its_digest(void **state)
{
	char before[KL_DIGEST_HEX];

	(void)state;
	lab_load(&lab, &e);
	assert_string_equal(e.dir, lab.dir);
	assert_int_equal(strlen(e.digest), KL_DIGEST_HEX - 1);
	memcpy(before, e.digest, sizeof(before));
	kl_exercise_deinit(&e);
	lab_put(&lab, "/* stricter */\n", "exercises/stash-replace/hidden/checks/readers.c");
	lab_load(&lab, &e);
	assert_string_not_equal(e.digest, before);
}

static void test_what_the_document_names_must_exist(void **state)
{
	(void)state;
	refused_on_load("id: stash-replace", "id: @stash-other", "folder's name");
	refused_on_load("sources: [stashbox.c]", "sources: [@other.c]", "handout/other.c");
	refused_on_load("include/stashbox.h]", "@include/other.h]", "handout/include/other.h");
	refused_on_load("include/stashbox.h]", "@include]", "handout/include");
	refused_on_load("program: hidden/checks/readers.c", "program: @hidden/checks/other.c",
			"hidden/checks/other.c");
	refused_on_load("rubric: panel", "rubric: @jury", "no rubric");
	refused_on_load("[debugging-rca, concurrency]", "[debugging-rca, concurrency, @upstream]",
			"no dimension");
}

static void test_links_are_no_files_of_an_exercise(void **state)
{
	KL_AUTO_FREE char *link_path = kl_path_join(lab.dir, "handout/linked.c");
	KL_AUTO_FREE char *folder = kl_path_join(lab.dir, "handout/inc");

	(void)state;
	assert_int_equal(symlink("stashbox.c", link_path), 0);
	assert_int_equal(symlink("include", folder), 0);
	refused_on_load("sources: [stashbox.c]", "sources: [@linked.c]", "no regular file");
	refused_on_load("include/stashbox.h]", "@inc/stashbox.h]", "no regular file");
}

static void test_an_exercise_is_found_by_id_or_by_path(void **state)
{
	(void)state;
	assert_int_equal(kl_exercise_find("stash-replace", &e, &err), 0);
	assert_string_equal(e.id, "stash-replace");
	kl_exercise_deinit(&e);
	assert_int_equal(kl_exercise_find(lab.dir, &e, &err), 0);
	assert_string_equal(e.id, "stash-replace");
	kl_exercise_deinit(&e);
	assert_int_equal(kl_exercise_find("none-such", &e, &err), -1);
	assert_int_equal(err.class, KL_USAGE);
	assert_non_null(strstr(err.message, "klinic list"));
}

static void test_the_catalogue_is_sorted_and_holds_exercises_only(void **state)
{
	KL_AUTO(kl_strv_deinit) struct kl_strv ids = { 0 };

	(void)state;
	lab_put(&lab, "x", "exercises/another/exercise.yaml");
	lab_put(&lab, "x", "exercises/unfinished/notes.txt");
	lab_put(&lab, "x", "exercises/README.md");
	assert_int_equal(kl_exercise_list(&ids, &err), 0);
	assert_int_equal(ids.n, 2);
	assert_string_equal(ids.v[0], "another");
	assert_string_equal(ids.v[1], "stash-replace");
}

static void test_a_content_root_without_the_folder_is_explained(void **state)
{
	KL_AUTO_FREE char *dir = NULL;

	(void)state;
	assert_int_equal(kl_content_dir("broken-kernels", &dir, &err), -1);
	assert_null(dir);
	assert_non_null(strstr(err.message, "KLINIC_ROOT"));
	assert_int_equal(kl_content_dir(NULL, &dir, &err), 0);
	assert_string_equal(dir, lab.root);
}

static void test_every_enum_reads_its_own_spelling(void **state)
{
	(void)state;
	for (int i = 0; i < KL_EXERCISE_KIND_COUNT; i++)
		assert_int_equal(
			kl_exercise_kind_parse(kl_exercise_kind_name((enum kl_exercise_kind)i)), i);
	for (int i = 0; i < KL_LEVEL_COUNT; i++)
		assert_int_equal(kl_level_parse(kl_level_name((enum kl_level)i)), i);
	for (int i = 0; i < KL_SCHEDULE_COUNT; i++)
		assert_int_equal(kl_schedule_parse(kl_schedule_name((enum kl_schedule)i)), i);
	for (int i = 0; i < KL_ROLE_COUNT; i++)
		assert_int_equal(kl_role_parse(kl_role_name((enum kl_role)i)), i);
	assert_int_equal(kl_level_parse("expert"), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_key_is_read),
		TEST(test_a_check_may_have_the_schedule_pct_with_a_depth),
		TEST(test_a_depth_is_for_pct_alone_and_from_one_to_three),
		TEST(test_optional_keys_of_a_check_have_the_documented_defaults),
		TEST(test_checks_keep_their_order_visible_ones_first),
		TEST(test_unknown_keys_are_refused_at_every_depth),
		TEST(test_missing_keys_are_refused),
		TEST(test_wrong_types_are_refused),
		TEST(test_values_out_of_range_are_refused),
		TEST(test_unknown_words_are_refused),
		TEST(test_ids_and_names_have_a_shape),
		TEST(test_paths_are_plain_and_stay_in_their_half),
		TEST(test_build_files_and_dot_files_are_never_editable),
		TEST(test_a_visible_program_is_never_editable),
		TEST(test_references_inside_the_document_must_exist),
		TEST(test_check_ids_are_unique_over_visible_and_hidden),
		TEST(test_a_module_of_several_sources_has_none_of_its_own_name),
		TEST(test_lists_that_must_have_entries),
		TEST(test_an_exercise_without_points_is_refused),
		TEST(test_loading_takes_the_folder_and_its_digest),
		TEST(test_what_the_document_names_must_exist),
		TEST(test_links_are_no_files_of_an_exercise),
		TEST(test_an_exercise_is_found_by_id_or_by_path),
		TEST(test_the_catalogue_is_sorted_and_holds_exercises_only),
		TEST(test_a_content_root_without_the_folder_is_explained),
		TEST(test_every_enum_reads_its_own_spelling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
