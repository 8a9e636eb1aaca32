#!/usr/bin/env bash
# From a kernel that may not be built yet to three graded submissions of the first exercise.
set -eu
cd "$(dirname "$0")/.."
klinic=${KLINIC:-build/klinic}
id=calib-replace
dir=exercises/$id
decoy=$(find "$dir/hidden/decoys" -name '*.patch' | LC_ALL=C sort | head -n 1)

grade() { # TITLE EXPECTED-STATUS SUBMISSION
	local status=0
	printf '\n=== %s\n$ klinic grade %s --submission %s\n\n' "$1" "$id" "$3"
	"$klinic" grade "$id" --submission "$3" || status=$?
	if [ "$status" -ne "$2" ]; then
		echo "demo: exit $status where $2 was expected" >&2
		exit 4
	fi
}

"$klinic" kernel build kasan
grade "The module as it is handed out" 1 "$dir/handout"
grade "A fix that looks right: $(basename "$decoy" .patch)" 1 "$decoy"
grade "The reference fix" 0 "$dir/hidden/reference.patch"
printf '\nNext: klinic list, klinic start %s, docs/panels.md\n' "$id"
