#!/usr/bin/env bash
# Runs test programs (cmocka) and bats files one after the other; ends with "N passed, N failed".
# usage: run.sh NAME PROGRAM|FILE.bats …
set -u
suite=$1
shift
passed=0
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for t in "$@"; do
	case $t in
	*.bats) bats --tap "$t" >"$log" 2>&1 ;;
	*) "$t" >"$log" 2>&1 ;;
	esac
	status=$?
	case $t in
	*.bats)
		p=$(grep -c '^ok ' "$log")
		f=$(grep -c '^not ok ' "$log")
		;;
	*)
		p=$(grep -c '^\[       OK \]' "$log")
		f=$(sed -nE 's/^\[  FAILED  \] ([0-9]+) test\(s\), listed below:/\1/p' "$log" | tail -1)
		f=${f:-0}
		;;
	esac
	# A program that died, or that ran nothing, has failed.
	if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
	if [ "$status" -eq 0 ] && [ $((p + f)) -eq 0 ]; then f=1; fi
	if [ "$status" -ne 0 ] || [ "$f" -ne 0 ]; then
		echo "--- $suite: $(basename "$t"): exit $status"
		tail -n 200 "$log"
	else
		echo "ok  $suite/$(basename "$t"): $p"
	fi
	passed=$((passed + p))
	failed=$((failed + f))
done
[ -z "${KLINIC_TEST_TALLY:-}" ] || echo "$passed $failed" >>"$KLINIC_TEST_TALLY"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
