#!/usr/bin/env bash
# Everything that `make test` runs, to the end whatever fails on the way; the last line counts it all.
set -u
cd "$(dirname "$0")/.."
make=${MAKE:-make}
KLINIC_TEST_TALLY=$(mktemp)
export KLINIC_TEST_TALLY
trap 'rm -f "$KLINIC_TEST_TALLY"' EXIT
for stage in lint unit vm-test cli-test certify-test; do
	echo "== $stage"
	begun=$SECONDS
	if ! $make --no-print-directory "$stage"; then
		case $stage in
		# These do not count themselves.
		lint) echo "0 1" >>"$KLINIC_TEST_TALLY" ;;
		*) [ -s "$KLINIC_TEST_TALLY" ] || echo "0 1" >>"$KLINIC_TEST_TALLY" ;;
		esac
		failed_stages="${failed_stages:-} $stage"
	elif [ "$stage" = lint ]; then
		echo "1 0" >>"$KLINIC_TEST_TALLY"
	fi
	echo "== $stage: $((SECONDS - begun)) s"
done
passed=0
failed=0
while read -r p f; do
	passed=$((passed + p))
	failed=$((failed + f))
done <"$KLINIC_TEST_TALLY"
if [ -n "${failed_stages:-}" ]; then
	echo "failed:$failed_stages"
	[ "$failed" -gt 0 ] || failed=1
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
