#!/usr/bin/env bash
# Runs test programs (cmocka) and bats files one after the other; ends with "N passed, N failed".
# What died, hung, left before its end, skipped a test or ran none has failed; so has an empty suite.
# usage: run.sh NAME PROGRAM|FILE.bats …
set -u
suite=$1
shift
limit=${KLINIC_TEST_SECONDS:-3600} # far outside what a program takes: a net, not a measure
passed=0
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

count() { grep -cE "$1" "$log"; }

run() { # FILE: sets status, p, f, whole
	case $1 in
	*.bats)
		timeout --foreground -k 10 "$limit" bats --tap "$1" >"$log" 2>&1
		status=$?
		p=$(grep -E '^ok ' "$log" | grep -cvE '# skip')
		f=$(count '^not ok |^ok .*# skip')
		[ "$(sed -nE 's/^1\.\.([0-9]+)$/\1/p' "$log" | head -n 1)" = $((p + f)) ] && whole=1 || whole=0
		;;
	*)
		timeout --foreground -k 10 "$limit" "$1" >"$log" 2>&1
		status=$?
		p=$(count '^\[       OK \]')
		f=$(sed -nE 's/^\[  FAILED  \] ([0-9]+) test\(s\), listed below:/\1/p' "$log" | tail -n 1)
		f=$((${f:-0} + $(count '^\[  SKIPPED \] [^0-9]')))
		[ "$(count '^\[==========\] [0-9]+ test\(s\) run')" -gt 0 ] && whole=1 || whole=0
		;;
	esac
	if [ "$f" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$whole" -ne 1 ] || [ "$p" -eq 0 ]; }; then f=1; fi
}

for t in "$@"; do
	run "$t"
	if [ "$f" -ne 0 ]; then
		echo "--- $suite: $(basename "$t"): exit $status$([ "$status" -ne 124 ] || echo " (ended after $limit s)")"
		tail -n 200 "$log"
	else
		echo "ok  $suite/$(basename "$t"): $p"
	fi
	passed=$((passed + p))
	failed=$((failed + f))
done
if [ $# -eq 0 ]; then
	echo "--- $suite: there is nothing to run"
	failed=1
fi
[ -z "${KLINIC_TEST_TALLY:-}" ] || echo "$passed $failed" >>"$KLINIC_TEST_TALLY"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
