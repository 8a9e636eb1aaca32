#!/usr/bin/env bash
# clang-tidy and cppcheck over our C; any warning fails. usage: tidy.sh FILE.c …
set -u
cd "$(dirname "$0")/../.."
flags="-std=gnu11 -D_GNU_SOURCE -Iinclude -Irunner"
bad=0
printf '%s\n' "$@" | xargs -P "$(nproc)" -n 8 sh -c 'clang-tidy --quiet "$@" -- '"$flags"' 2>/dev/null' tidy || bad=1
cppcheck --quiet --std=c11 --error-exitcode=1 --enable=warning,portability --inline-suppr \
	--suppress=missingIncludeSystem --suppress=varFuncNullUB -j "$(nproc)" -D_GNU_SOURCE -Iinclude -Irunner "$@" || bad=1
[ "$bad" = 0 ] && echo "tidy: $# files, clang-tidy and cppcheck find nothing"
exit "$bad"
