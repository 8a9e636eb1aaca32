#!/usr/bin/env bash
# From a kernel that may not be built yet to three graded submissions of the first exercise.
set -eu
cd "$(dirname "$0")/.."
PATH=$(dirname "$(realpath "${KLINIC:-build/klinic}")"):$PATH
id=calib-replace
dir=exercises/$id
decoy=delayed-free
result=$(mktemp)
trap 'rm -f "$result"' EXIT

say() {
	printf '\n=== %s\n' "$1"
}

# Runs a command as it is shown; its exit status must be the one that the verdict has.
try() { # STATUS COMMAND …
	local expected=$1 status=0
	shift
	printf '$ %s\n\n' "${*/"$result"/result.json}"
	"$@" || status=$?
	if [ "$status" -ne "$expected" ]; then
		echo "demo: exit status $status where $expected was expected" >&2
		exit 4
	fi
}

klinic kernel build kasan
say "The module as it is handed out"
try 1 klinic grade $id --submission $dir/handout
say "A fix that looks right: $decoy; the panel's view"
try 1 klinic grade $id --submission $dir/hidden/decoys/$decoy.patch --format json --output "$result"
try 0 klinic report "$result"
say "The same verdict as the candidate sees it: nothing hidden is named"
try 0 klinic report "$result" --audience candidate
say "The reference"
try 0 klinic grade $id --submission $dir/hidden/reference.patch
printf '\nNext: klinic list; klinic start %s; docs/panels.md\n' "$id"
