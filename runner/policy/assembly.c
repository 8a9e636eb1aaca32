/*
 * Inline assembly. New assembly is always shown to a person; what brings files
 * in, leaves the function's section or names what C may not name is refused.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "policy/names.h"
#include "policy/spots.h"

static const char files[] = "incbin include";
static const char sections[] = "section pushsection popsection previous subsection";
static const char others[] = "globl global weak symver reloc org macro altmacro irp irpc rept "
			     "set equ equiv comm lcomm print error abort";

/* Instructions and registers of an operating system; and bytes that could be any instruction. */
static const char privileged[] =
	"cli sti hlt lidt lgdt lldt ltr lmsw clts invlpg invlpga invpcid invd wbinvd wbnoinvd "
	"wrmsr "
	"rdmsr xsetbv out outb outw outl outs outsb outsw outsl in inb inw inl ins insb insw insl "
	"iret iretq iretl sysret sysretq sysretl sysexit swapgs pushf pushfq popf popfq int int3 "
	"into vmcall vmmcall monitor mwait rsm cr0 cr2 cr3 cr4 cr8 dr0 dr1 dr2 dr3 dr6 dr7 gdtr "
	"idtr";
static const char bytes[] =
	"byte 2byte 4byte 8byte short hword word value long int quad octa ascii "
	"asciz string string8 fill insn float single double";

bool pl_is_asm(const struct pl_token *t)
{
	static const char names[] = "asm __asm __asm__ asm_volatile_goto asm_inline "
				    "asm_goto_output asm_volatile_goto_output";

	return t->kind == PL_NAME && pl_listed(names, t->text);
}

static bool in_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$';
}

static void directive(struct pl_scan *s, size_t i, const char *word, bool in_asm)
{
	KL_AUTO_FREE char *name = kl_asprintf(".%s", word);

	if (!name)
		return;
	if (pl_listed(files, word))
		pl_spot(s, i, true, "include", name,
			"brings a file into the object: put the data in C");
	else if (pl_listed(sections, word))
		pl_spot(s, i, true, "section", name,
			"puts code or data where the kernel looks for other things: stay in the "
			"function's own section");
	else if (in_asm && pl_listed(bytes, word))
		pl_spot(s, i, true, "inline-assembly", name,
			"hides instructions in bytes: write them out");
	else if (in_asm && pl_listed(others, word))
		pl_spot(s, i, true, "section", name,
			"changes symbols or the assembler itself: write plain instructions");
}

/* One word of assembly, lower-case as the assembler takes directives. */
static void asm_word(struct pl_scan *s, size_t i, const char *word, size_t len, bool dot,
		     bool in_asm)
{
	char buf[128];
	const struct pl_rule *r;

	if (len >= sizeof(buf))
		return;
	memcpy(buf, word, len);
	buf[len] = '\0';
	r = in_asm && !dot ? pl_rule_of(buf, PL_NAMED) : NULL;
	if (r && r->refused)
		pl_spot(s, i, true, r->rule, buf, "%s: %s", r->why, r->instead);
	for (size_t k = 0; k < len; k++)
		buf[k] = (char)tolower((unsigned char)buf[k]);
	if (in_asm && !dot && !(r && r->refused) && pl_listed(privileged, buf))
		pl_spot(s, i, true, "hardware", buf,
			"is the kernel's to use: no driver here needs the bare machine");
	if (dot)
		directive(s, i, buf, in_asm);
}

/*
 * Assembly text found at token i. Outside of an asm only what no message would
 * say counts: a directive at the beginning of a statement.
 */
static void asm_text(struct pl_scan *s, size_t i, const char *text, size_t len, bool in_asm)
{
	bool begins = true; /* a statement */

	for (size_t k = 0; k < len;) {
		bool dot = text[k] == '.' && begins;
		size_t from = dot ? k + 1 : k, end = from;

		while (end < len && in_name(text[end]))
			end++;
		if (end > from)
			asm_word(s, i, text + from, end - from, dot, in_asm);
		if (end == k) {
			begins = strchr("\n;:", text[k]) || text[k] == '\0' ||
				 (begins && isspace((unsigned char)text[k]));
			k++;
		} else {
			begins = false;
			k = end;
		}
	}
}

/* Neighbouring strings are one. Returns the token after them. */
static size_t joined(const struct pl_scan *s, size_t i, struct kl_buf *ret)
{
	for (; i < s->n && s->v[i].kind == PL_STRING; i++)
		kl_buf_append(ret, s->v[i].text, s->v[i].len);
	return i;
}

void pl_string(struct pl_scan *s, size_t i)
{
	KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;

	if (i && s->v[i - 1].kind == PL_STRING)
		return;
	joined(s, i, &b);
	asm_text(s, i, kl_buf_str(&b), b.len, false);
	s->failed |= b.failed;
}

size_t pl_assembly(struct pl_scan *s, size_t i)
{
	size_t open = i + 1, close;
	KL_AUTO_FREE char *words = NULL;

	while (open < s->n && s->v[open].kind == PL_NAME)
		open++;
	close = pl_at(s, open, PL_PUNCT, "(") ? pl_close(s, open) : s->n;
	if (close >= s->n) {
		pl_spot(s, i, true, "inline-assembly", s->v[i].text,
			"is no complete statement: spell the assembly out");
		return i + 1;
	}
	words = pl_text(s, i, close + 1);
	if (!words)
		return close;
	pl_spot(s, i, false, "inline-assembly", words, "is new assembly: read what it does");
	for (size_t k = open + 1; k < close;) {
		KL_AUTO(kl_buf_deinit) struct kl_buf b = KL_BUF_INIT;
		size_t next = joined(s, k, &b);

		asm_text(s, k, kl_buf_str(&b), b.len, true);
		s->failed |= b.failed;
		/* __stringify(.incbin …) */
		if (next == k && pl_at(s, k, PL_PUNCT, ".") && k + 1 < close)
			asm_word(s, k, s->v[k + 1].text, s->v[k + 1].len, true, true);
		k = next == k ? k + 1 : next;
	}
	/* Names within are C's as well: the operands'. */
	return i + 1;
}
