/*
 * YAML text to a tree, through libyaml's events. What a document of ours never
 * needs is refused with its place: anchors, tags, several documents, duplicate
 * keys, keys that are not words, control characters, and sizes beyond the
 * bounds in yaml.h.
 */
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include <klinic/cleanup.h>
#include <klinic/file.h>
#include <klinic/yaml.h>

#include "data/utf8.h"
#include "data/yaml_dup.h"

#define TEXT_MAX  (1UL << 20)
#define DEPTH_MAX 32
#define NODES_MAX 65536
#define BLOCK	  (32UL << 10)

/* Memory of a tree: blocks that are freed together. */
struct block {
	struct block *next;
	size_t used, size;
	max_align_t data[];
};

struct arena {
	struct block *blocks;
};

static void *arena_alloc(struct arena *a, size_t size)
{
	struct block *b = a->blocks;
	void *p;

	size = (size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	if (!b || b->size - b->used < size) {
		size_t room = size > BLOCK ? size : BLOCK;

		b = malloc(sizeof(*b) + room);
		if (!b)
			return NULL;
		*b = (struct block){ .next = a->blocks, .size = room };
		a->blocks = b;
	}
	p = (char *)b->data + b->used;
	b->used += size;
	return p;
}

static void arena_destroy(struct arena *a)
{
	while (a && a->blocks) {
		struct block *next = a->blocks->next;

		free(a->blocks);
		a->blocks = next;
	}
	free(a);
}

/* A list or map whose end has not come yet. */
struct open {
	struct kl_yaml_node *node;
	struct kl_yaml_node *key; /* map: waits for its value */
	struct kl_yaml_node **items, **keys;
	size_t alloc;
};

struct builder {
	const char *name;
	struct arena *arena;
	struct kl_yaml_node *root;
	struct open stack[DEPTH_MAX];
	size_t depth, nodes, documents;
	struct kl_error *err;
};

static int nomem(struct builder *b)
{
	return kl_fail(b->err, KL_INFRA, "out of memory while reading %s", b->name);
}

static int refuse(struct builder *b, const yaml_mark_t *at, const char *what)
{
	return kl_fail_at(b->err, b->name, (unsigned int)at->line + 1, (unsigned int)at->column + 1,
			  "%s", what);
}

static struct kl_yaml_node *new_node(struct builder *b, enum kl_yaml_type type,
				     const yaml_mark_t *at)
{
	struct kl_yaml_node *n;

	if (b->nodes++ >= NODES_MAX) {
		refuse(b, at, "more than 65536 values: split the document");
		return NULL;
	}
	n = arena_alloc(b->arena, sizeof(*n));
	if (!n) {
		nomem(b);
		return NULL;
	}
	*n = (struct kl_yaml_node){
		.type = type,
		.line = (unsigned int)at->line + 1,
		.column = (unsigned int)at->column + 1,
	};
	return n;
}

static int grow(struct builder *b, struct open *o)
{
	size_t alloc = o->alloc ? 2 * o->alloc : 8;
	void *items = reallocarray(o->items, alloc, sizeof(*o->items));
	void *keys;

	if (!items)
		return nomem(b);
	o->items = items;
	keys = reallocarray(o->keys, alloc, sizeof(*o->keys));
	if (!keys)
		return nomem(b);
	o->keys = keys;
	o->alloc = alloc;
	return 0;
}

static int take_key(struct builder *b, struct open *o, struct kl_yaml_node *n,
		    const yaml_mark_t *at)
{
	if (n->type != KL_YAML_SCALAR || !*n->text)
		return refuse(b, at, "a key must be a word, not a list, a map or nothing");
	o->key = n;
	return 0;
}

/* Hangs a node into what is open: as root, entry, key or value. */
static int place(struct builder *b, struct kl_yaml_node *n, const yaml_mark_t *at)
{
	struct open *o;

	if (!b->depth) {
		b->root = n;
		return 0;
	}
	o = &b->stack[b->depth - 1];
	if (o->node->type == KL_YAML_MAP && !o->key)
		return take_key(b, o, n, at);
	if (o->node->n == o->alloc && grow(b, o) < 0)
		return -1;
	o->items[o->node->n] = n;
	o->keys[o->node->n++] = kl_take(o->key);
	return 0;
}

static int open_node(struct builder *b, enum kl_yaml_type type, const yaml_event_t *ev)
{
	struct kl_yaml_node *n = new_node(b, type, &ev->start_mark);

	if (!n || place(b, n, &ev->start_mark) < 0)
		return -1;
	if (b->depth == DEPTH_MAX)
		return refuse(b, &ev->start_mark, "nested more than 32 deep");
	b->stack[b->depth++] = (struct open){ .node = n };
	return 0;
}

static int close_node(struct builder *b)
{
	struct open *o = b->depth ? &b->stack[b->depth - 1] : NULL;
	struct kl_yaml_node *n = o ? o->node : NULL;
	const struct kl_yaml_node *twice;
	size_t bytes;

	if (!n) /* libyaml's events are balanced */
		return -1;
	bytes = n->n * sizeof(*n->items);
	n->items = arena_alloc(b->arena, bytes);
	n->keys = n->type == KL_YAML_MAP ? arena_alloc(b->arena, bytes) : NULL;
	if (!n->items || (n->type == KL_YAML_MAP && !n->keys))
		return nomem(b);
	if (o->items)
		memcpy(n->items, o->items, bytes);
	if (o->keys && n->keys)
		memcpy(n->keys, o->keys, bytes);
	free(o->items);
	free(o->keys);
	*o = (struct open){ 0 };
	b->depth--;
	if (n->type != KL_YAML_MAP)
		return 0;
	if (kl_yaml_duplicate(n->keys, n->n, &twice) < 0)
		return nomem(b);
	if (twice)
		return kl_fail_at(b->err, b->name, twice->line, twice->column,
				  "key '%s' is given twice", twice->text);
	return 0;
}

/* C0 but for white space, DEL and C1: what a terminal would obey. */
static bool is_control(unsigned int code)
{
	return (code < ' ' && code != '\n' && code != '\t' && code != '\r') ||
	       (code >= 0x7f && code < 0xa0);
}

static int add_scalar(struct builder *b, const yaml_event_t *ev)
{
	const unsigned char *value = ev->data.scalar.value;
	size_t len = ev->data.scalar.length, step;
	struct kl_yaml_node *n;
	unsigned int code;
	char *text;

	/* The text itself was checked; these came as escapes, "\0" or "\e". */
	for (size_t i = 0; i < len; i += step) {
		step = kl_utf8_length(value + i, len - i, &code);
		if (!step || is_control(code))
			return refuse(b, &ev->start_mark, "control characters are not allowed");
	}
	n = new_node(b, KL_YAML_SCALAR, &ev->start_mark);
	if (!n)
		return -1;
	text = arena_alloc(b->arena, len + 1);
	if (!text)
		return nomem(b);
	memcpy(text, value, len);
	text[len] = '\0';
	n->text = text;
	n->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	return place(b, n, &ev->start_mark);
}

static int check_properties(struct builder *b, const yaml_event_t *ev)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	if (ev->type == YAML_SCALAR_EVENT) {
		anchor = ev->data.scalar.anchor;
		tag = ev->data.scalar.tag;
	} else if (ev->type == YAML_SEQUENCE_START_EVENT) {
		anchor = ev->data.sequence_start.anchor;
		tag = ev->data.sequence_start.tag;
	} else if (ev->type == YAML_MAPPING_START_EVENT) {
		anchor = ev->data.mapping_start.anchor;
		tag = ev->data.mapping_start.tag;
	}
	if (anchor)
		return refuse(b, &ev->start_mark,
			      "anchors (&name) are not used here: write the value out");
	if (tag)
		return refuse(b, &ev->start_mark, "tags (!name) are not used here: remove it");
	return 0;
}

static int start_document(struct builder *b, const yaml_event_t *ev)
{
	if (b->documents++)
		return refuse(b, &ev->start_mark,
			      "a second document (---): one file holds one document");
	if (ev->data.document_start.tag_directives.start !=
	    ev->data.document_start.tag_directives.end)
		return refuse(b, &ev->start_mark, "%TAG is not used here: remove it");
	return 0;
}

static int take_event(struct builder *b, const yaml_event_t *ev)
{
	if (check_properties(b, ev) < 0)
		return -1;
	switch (ev->type) {
	case YAML_DOCUMENT_START_EVENT:
		return start_document(b, ev);
	case YAML_ALIAS_EVENT:
		return refuse(b, &ev->start_mark,
			      "aliases (*name) are not used here: write the value out");
	case YAML_SCALAR_EVENT:
		return add_scalar(b, ev);
	case YAML_SEQUENCE_START_EVENT:
		return open_node(b, KL_YAML_LIST, ev);
	case YAML_MAPPING_START_EVENT:
		return open_node(b, KL_YAML_MAP, ev);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_node(b);
	default:
		return 0;
	}
}

static int parser_complaint(struct builder *b, const yaml_parser_t *p)
{
	const char *problem = p->problem ? p->problem : "it cannot be read";

	if (p->error == YAML_MEMORY_ERROR)
		return nomem(b);
	if (p->context)
		return kl_fail_at(b->err, b->name, (unsigned int)p->problem_mark.line + 1,
				  (unsigned int)p->problem_mark.column + 1,
				  "not valid YAML: %s, %s", p->context, problem);
	return kl_fail_at(b->err, b->name, (unsigned int)p->problem_mark.line + 1,
			  (unsigned int)p->problem_mark.column + 1, "not valid YAML: %s", problem);
}

static int build(struct builder *b, const char *text, size_t len)
{
	KL_AUTO(yaml_parser_delete) yaml_parser_t p = { 0 };
	bool done = false;
	int rc = 0;

	if (!yaml_parser_initialize(&p))
		return nomem(b);
	/* Told, not guessed: a byte order mark must not turn the file into UTF-16. */
	yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&p, (const unsigned char *)text, len);
	while (!done && !rc) {
		yaml_event_t ev;

		if (!yaml_parser_parse(&p, &ev))
			return parser_complaint(b, &p);
		rc = take_event(b, &ev);
		done = ev.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&ev);
	}
	return rc;
}

static int check_text(const char *name, const char *text, size_t len, struct kl_error *err)
{
	unsigned int line = 1, column = 1, code = 0;
	size_t n;

	if (len > TEXT_MAX)
		return kl_fail_at(err, name, 0, 0, "larger than 1 MiB");
	for (size_t i = 0; i < len; i += n) {
		const unsigned char *s = (const unsigned char *)text + i;

		n = kl_utf8_length(s, len - i, &code);
		if (!n)
			return kl_fail_at(err, name, line, column,
					  "byte 0x%02x is not UTF-8 text: save it as UTF-8", *s);
		if (is_control(code))
			return kl_fail_at(err, name, line, column,
					  "control character 0x%02x is not allowed", code);
		column++;
		if (*s == '\n') {
			line++;
			column = 1;
		}
	}
	return 0;
}

static bool is_nothing(const struct kl_yaml_node *root)
{
	return !root || (root->type == KL_YAML_SCALAR && !root->quoted && !*root->text);
}

int kl_yaml_parse(const char *name, const char *text, size_t len, struct kl_yaml *ret,
		  struct kl_error *err)
{
	struct builder b = { .name = name, .err = err };
	struct kl_yaml y = { 0 };
	int rc;

	if (check_text(name, text, len, err) < 0)
		return -1;
	y.path = strdup(name);
	y.arena = b.arena = calloc(1, sizeof(*b.arena));
	rc = y.path && y.arena ? build(&b, text, len) : nomem(&b);
	for (size_t i = 0; i < DEPTH_MAX; i++) {
		free(b.stack[i].items);
		free(b.stack[i].keys);
	}
	if (!rc && is_nothing(b.root))
		rc = kl_fail_at(err, name, 1, 1, "the document is empty");
	if (rc) {
		kl_yaml_deinit(&y);
		return -1;
	}
	y.root = b.root;
	*ret = y;
	return 0;
}

int kl_yaml_load(const char *path, struct kl_yaml *ret, struct kl_error *err)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_CAPPED(TEXT_MAX);

	if (kl_file_read(path, TEXT_MAX, &b, err) < 0)
		return -1;
	return kl_yaml_parse(path, kl_buf_str(&b), b.len, ret, err);
}

void kl_yaml_deinit(struct kl_yaml *y)
{
	free(y->path);
	arena_destroy(y->arena);
	*y = (struct kl_yaml){ 0 };
}
