#!/usr/bin/env bash
# Do the checks find what they are for? Each is shown a violation, or a test program that must not count as passed.
set -u
cd "$(dirname "$0")/../.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
unset KLINIC_TEST_TALLY
cp -r --parents README.md Makefile docs include runner graders exercises rubrics broken-kernels tests "$tmp"
bad=0
n=0

must_fail() { # WHAT COMMAND…
	local what=$1
	shift
	n=$((n + 1))
	if "$@" >/dev/null 2>&1; then
		echo "not found: $what"
		bad=1
	fi
}

in_tree() { # WHAT CHECK FILE TEXT
	printf '%b\n' "$4" >"$tmp/$3"
	must_fail "$1" "$tmp/tests/lint/$2"
	rm "$tmp/$3"
}

layers() { in_tree "$1" check-layers.sh runner/model/try.c "$2"; }
layers 'a room above, in quotes' '#include "vm/qemu.h"'
layers 'a room above, in angle brackets' '#include <vm/qemu.h>'
layers 'a public header of a room above' '# include <klinic/vm.h>'
layers 'a room by the way round the root' '#include "runner/vm/qemu.h"'
layers 'a room by ../' '#include "../vm/qemu.h"'
layers 'printf outside cli' 'void f(void)\n{\n\tprintf("x");\n}'
layers 'a word on stderr outside cli' 'void f(void)\n{\n\tfprintf(stderr, "x");\n}'
layers 'fputs to stdout outside cli' 'void f(void)\n{\n\tfputs("x", stdout);\n}'
layers 'exit outside cli' 'void f(void)\n{\n\texit (1);\n}'
in_tree 'a public header of no room' check-layers.sh include/klinic/nobody.h '#include <stddef.h>'
docs() { in_tree "$1" check-docs.sh docs/try.md "$2"; }
docs 'a link to a page that is not there' 'See [it](nowhere.md).'
docs 'a link to a heading that is not there' 'See [it](style.md#nowhere).'
docs 'a path that is not there' 'See `runner/base/nowhere.c`.'
docs 'a verb that is not there' 'Run `klinic nowhere`.'
docs 'an option that is not there' 'Run\n\n    klinic list --nowhere'
docs 'a make target that is not there' 'Run `make nowhere`.'
"$tmp/tests/lint/check-docs.sh" >/dev/null || { echo "sound pages are called wrong"; bad=1; }

# The headers are compiled one by one: two are enough here.
find "$tmp" -name '*.h' ! -name error.h -delete
"$tmp/tests/lint/check-headers.sh" >/dev/null || { echo "a sound header is called unsound"; bad=1; }
in_tree 'a header that does not compile alone' check-headers.sh runner/model/try.h 'struct a {\n\tsize_t n;\n};'

program() { # WHAT LINES: a test program that must not pass
	printf '#!/bin/sh\n%b\n' "$2" >"$tmp/program"
	chmod +x "$tmp/program"
	must_fail "$1" env KLINIC_TEST_SECONDS=1 tests/run.sh try "$tmp/program"
}
ran='echo "[==========] 1 test(s) run."'
program 'a program that runs nothing' :
program 'a program that dies after its tests' 'echo "[       OK ] a"; kill -SEGV $$'
program 'a program that leaves in the middle' 'echo "[       OK ] a"; exit 0'
program 'a program that skips a test' "echo '[       OK ] a'; echo '[  SKIPPED ] b'; $ran"
program 'a program that hangs' "echo '[       OK ] a'; $ran; sleep 60"
must_fail 'a suite without programs' tests/run.sh try
must_fail 'a program that is not there' tests/run.sh try "$tmp/none"
printf '#!/bin/sh\necho "[       OK ] a"\n%s\n' "$ran" >"$tmp/program"
tests/run.sh try "$tmp/program" >/dev/null || { echo "a sound program is called failed"; bad=1; }
[ "$bad" = 0 ] && echo "checks: $n violations found"
exit "$bad"
