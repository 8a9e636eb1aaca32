/*
 * An enum and its spelling share one table:
 *
 *	static const char *const verdict_names[] = { [KL_PASS] = "pass", … };
 *	KL_ENUM_DEFINE(kl_verdict, enum kl_verdict, verdict_names, KL_VERDICT_COUNT)
 *
 * defines kl_verdict_name(value) (never NULL) and kl_verdict_parse(text) (-1
 * when unknown), and asserts that the table is complete in length.
 */
#ifndef KLINIC_ENUM_H
#define KLINIC_ENUM_H

#include <stddef.h>
#include <string.h>

#define KL_ENUM_DECLARE(name, type)          \
	const char *name##_name(type value); \
	int name##_parse(const char *text)

#define KL_ENUM_DEFINE(name, type, table, count)                                                   \
	_Static_assert(sizeof(table) / sizeof((table)[0]) == (size_t)(count), #table " is short"); \
	const char *name##_name(type value)                                                        \
	{                                                                                          \
		if ((size_t)value >= (size_t)(count) || !(table)[value])                           \
			return "?";                                                                \
		return (table)[value];                                                             \
	}                                                                                          \
	int name##_parse(const char *text)                                                         \
	{                                                                                          \
		for (size_t i = 0; text && i < (size_t)(count); i++)                               \
			if ((table)[i] && !strcmp((table)[i], text))                               \
				return (int)i;                                                     \
		return -1;                                                                         \
	}                                                                                          \
	_Static_assert(1, "")

#endif
