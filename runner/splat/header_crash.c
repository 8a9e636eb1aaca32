/* First lines of what stops the machine or the task: traps, BUG(), UBSAN that traps, panics. */
#include <stdlib.h>
#include <string.h>

#include <klinic/cleanup.h>

#include "splat/header_words.h"

/*
 * "general protection fault, …: 0000 [#1] PREEMPT SMP", "Oops: 0002 [#1]", "divide error: 0000 [#1]";
 * since 6.11 with "Oops: " before all; arm64's "Internal error: Oops - BUG: 00000000f2000800 [#1]".
 */
bool kh_trap(struct kl_header *h, const char *text)
{
	const char *number = strstr(text, " [#"), *arm = kh_after(text, "Internal error: "), *p;
	size_t n, code;

	text = arm ? arm : text;
	p = kh_after(text, "Oops: ");
	if (!p && arm)
		p = kh_after(text, "Oops - ");
	if (!number || number[3] < '1' || number[3] > '9')
		return false;
	n = (size_t)(number - text);
	for (code = 0; n > code && strchr("0123456789abcdef", text[n - 1 - code]); code++)
		;
	if (code < 4 || n < code + 3 || text[n - code - 1] != ' ' || text[n - code - 2] != ':')
		return false;
	h->form = KL_FORM_TRAP;
	if (p && p == text + n - code) {
		h->kind = KL_KIND_PAGE_FAULT;
		kh_title(h, "page fault");
		return true;
	}
	p = p ? p : text;
	if (kh_after(p, "general protection fault")) {
		h->kind = KL_KIND_GPF;
		h->form = KL_FORM_OOPS;
		kh_title(h, "general protection fault");
		return true;
	}
	/* A trap's name is words: "invalid opcode", "divide error", "stack segment". */
	for (size_t i = 0; p + i < text + n - code - 2; i++)
		if (!((p[i] >= 'a' && p[i] <= 'z') || p[i] == ' ' || p[i] == '-' ||
		      (p[i] >= '0' && p[i] <= '9') ||
		      (arm && ((p[i] >= 'A' && p[i] <= 'Z') || p[i] == '/'))))
			return false;
	h->kind = KL_KIND_OTHER;
	kh_title(h, "%.*s", (int)(text + n - code - 2 - p), p);
	return true;
}

/* arch/arm64/mm/fault.c, and riscv's in the same words: "Unable to handle kernel …". */
bool kh_cannot_handle(struct kl_header *h, const char *text)
{
	const char *p = kh_after(text, "Unable to handle kernel ");

	if (!p || !strstr(p, " at virtual address "))
		return false;
	h->kind = KL_KIND_PAGE_FAULT;
	h->form = KL_FORM_OOPS;
	kh_title(h, kh_after(p, "NULL pointer dereference") ? "NULL pointer dereference"
							    : "page fault");
	return true;
}

/* kernel/cfi.c, before the trap or the WARN: "CFI failure at f+0x1/0x2 [m] (target: …)". */
bool kh_cfi(struct kl_header *h, const char *text)
{
	const char *p = kh_after(text, "CFI failure at ");

	if (!p || !strstr(p, " (target: "))
		return false;
	h->kind = KL_KIND_OTHER;
	h->form = KL_FORM_MESSAGE;
	kh_title(h, "CFI failure");
	kh_frame(h, p);
	return true;
}

bool kh_kernel_bug(struct kl_header *h, const char *text)
{
	const char *p = kh_after(text, "kernel BUG at ");

	p = p ? p : kh_after(text, "Kernel BUG at ");
	if (!p)
		return false;
	h->kind = KL_KIND_BUG;
	h->form = KL_FORM_OOPS;
	kh_title(h, "kernel BUG");
	if (!kh_place(h, p))
		kh_frame(h, p);
	return true;
}

bool kh_ubsan(struct kl_header *h, const char *text)
{
	const char *p = kh_after(text, "UBSAN: "), *in, *rest;
	struct kl_frame f;

	/* Where UBSAN traps, the trap's handler says it: "UBSAN: shift out of bounds at f+0x1/0x2". */
	if (p && (in = strstr(p, " at ")) && kl_frame_prefix(in + 4, &f, &rest)) {
		h->kind = KL_KIND_UBSAN;
		h->form = KL_FORM_OOPS;
		kh_title(h, "UBSAN: %.*s", (int)(in - p), p);
		kh_frame(h, in + 4);
		return true;
	}
	if (!p || !(in = strstr(p, " in ")) || !kh_place(h, in + 4))
		return false;
	h->kind = KL_KIND_UBSAN;
	h->form = KL_FORM_KASAN;
	kh_title(h, "UBSAN: %.*s", (int)(in - p), p);
	return true;
}

bool kh_panic(struct kl_header *h, const char *text)
{
	const char *p = kh_after(text, "Kernel panic - not syncing: "), *q;

	if (!p)
		return false;
	h->kind = KL_KIND_PANIC;
	h->form = KL_FORM_PANIC;
	if ((q = kh_after(p, "stack-protector: Kernel stack is corrupted in: ")))
		kh_frame(h, q);
	kh_title(h, "kernel panic: %s", p);
	return true;
}
