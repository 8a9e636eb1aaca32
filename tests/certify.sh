#!/usr/bin/env bash
# Certifies exercises: each one without a certificate for what would judge it now by its verdicts
# (--quick), and of every one a solution that changes from day to day with all its seeds; --all
# certifies every one whole, with its rates. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 4
klinic=${KLINIC:-build/klinic}
list=$("$klinic" list --format json) || exit 4
mapfile -t ids < <(jq -r '.[].id' <<<"$list")
[ "${#ids[@]}" -gt 0 ] || { echo "there are no exercises" >&2; exit 3; }
day=$(($(date +%s) / 86400))
passed=0
failed=0

certify() { # ID [OPTION …]
	local begun=$SECONDS

	if "$klinic" certify "$@"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
	echo "certify $*: $((SECONDS - begun)) s"
}

# The sample turns with the days, so that every solution comes round without anybody choosing.
sample() { # ID
	local names

	mapfile -t names < <(
		printf '%s\n' broken reference
		find "exercises/$1/hidden/alternatives" "exercises/$1/hidden/decoys" -name '*.patch' -printf '%f\n' |
			LC_ALL=C sort | sed 's/\.patch$//'
	)
	echo "${names[$((day % ${#names[@]}))]}"
}

for id in "${ids[@]}"; do
	if [ "${1:-}" = --all ]; then
		certify "$id"
		continue
	fi
	jq -e --arg id "$id" '.[] | select(.id == $id) | .certified' <<<"$list" >/dev/null || certify "$id" --quick
	certify "$id" --variant "$(sample "$id")"
done
[ -z "${KLINIC_TEST_TALLY:-}" ] || echo "$passed $failed" >>"$KLINIC_TEST_TALLY"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ $((passed + failed)) -gt 0 ]
