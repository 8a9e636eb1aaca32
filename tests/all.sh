#!/usr/bin/env bash
# Everything that `make test` runs, to the end whatever fails on the way; the last line counts it all.
set -u
cd "$(dirname "$0")/.."
make=${MAKE:-make}
KLINIC_TEST_TALLY=$(mktemp)
export KLINIC_TEST_TALLY
trap 'rm -f "$KLINIC_TEST_TALLY"' EXIT
passed=0
failed=0
for stage in lint unit fuzz-smoke vm-test cli-test redteam certify-test; do
	echo "== $stage"
	begun=$SECONDS
	: >"$KLINIC_TEST_TALLY"
	status=0
	$make --no-print-directory "$stage" || status=$?
	# Suites count themselves; what only has an exit status counts as one.
	p=0
	f=0
	while read -r more_p more_f; do
		p=$((p + more_p))
		f=$((f + more_f))
	done <"$KLINIC_TEST_TALLY"
	if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
	if [ "$status" -eq 0 ] && [ $((p + f)) -eq 0 ]; then p=1; fi
	[ "$f" -eq 0 ] || failed_stages="${failed_stages:-} $stage"
	passed=$((passed + p))
	failed=$((failed + f))
	echo "== $stage: $((SECONDS - begun)) s"
done
[ -z "${failed_stages:-}" ] || echo "failed:$failed_stages"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
