#!/usr/bin/env bash
# Runs test programs (cmocka) and bats files, KLINIC_TEST_JOBS side by side (default: one after the other);
# ends with "N passed, N failed".
# What died, hung, left before its end, skipped a test or ran none has failed; so has an empty suite.
# usage: run.sh NAME PROGRAM|FILE.bats …
set -u
suite=$1
shift
at_once=${KLINIC_TEST_JOBS:-1} # programs side by side
limit=${KLINIC_TEST_SECONDS:-3600} # far outside what a program takes: a net, not a measure
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# What runs in the background does not hear Ctrl-C: the whole group is told.
trap 'trap - TERM; kill 0; exit 130' INT TERM

count() { grep -cE "$1" "$log"; } # in the caller's log

run() { # FILE LOG: sets status, p, f, whole
	local log=$2
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

one() { # FILE NUMBER: runs it, says how it went, and leaves its count
	local log=$work/$2.log
	run "$1" "$log"
	if [ "$f" -ne 0 ]; then
		echo "--- $suite: $(basename "$1"): exit $status$([ "$status" -ne 124 ] || echo " (ended after $limit s)")"
		tail -n 200 "$log"
	else
		echo "ok  $suite/$(basename "$1"): $p"
	fi >"$work/$2.said"
	cat "$work/$2.said"
	echo "$p $f" >"$work/$2.count"
}

n=0
for t in "$@"; do
	while [ "$(jobs -rp | wc -l)" -ge "$at_once" ]; do wait -n; done
	if [ "$at_once" -gt 1 ]; then one "$t" "$n" & else one "$t" "$n"; fi
	n=$((n + 1))
done
wait
passed=0
failed=0
for ((i = 0; i < n; i++)); do
	# Who left no count has not come to its end.
	read -r p f 2>/dev/null <"$work/$i.count" || { p=0; f=1; }
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
