#!/usr/bin/env bash
# Grades references, alternatives, decoys and handouts of all exercises again and again, beside a
# CPU-bound process for each core, and holds every result against what it has to be and against its
# own first, field by field but for the timings (and the receipt, which signs them, and whether a control was in the cache).
# usage: soak.sh [N]: N gradings, 200 unless it says otherwise. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/.."
klinic=${KLINIC:-build/klinic}
wanted=${1:-200}
work=$(mktemp -d)
hogs=()
# shellcheck disable=SC2317 # called by the trap
leave() {
	[ "${#hogs[@]}" -eq 0 ] || kill "${hogs[@]}" 2>/dev/null
	rm -rf "$work"
}
trap leave EXIT
trap 'exit 130' INT TERM

submissions=() # "EXERCISE PATH EXIT-STATUS", one of each exercise in turn
list() { # EXERCISE
	local dir=exercises/$1/hidden
	printf '%s\n' "$1 $dir/reference.patch 0" "$1 exercises/$1/handout 1"
	for p in "$dir"/alternatives/*.patch; do echo "$1 $p 0"; done
	for p in "$dir"/decoys/*.patch; do echo "$1 $p 1"; done
}
mapfile -t submissions < <(
	for e in exercises/*/exercise.yaml; do
		list "$(basename "$(dirname "$e")")" | cat -n
	done | sort -s -n -k 1,1 | sed -E 's/^ *[0-9]+\t//'
)
[ "${#submissions[@]}" -gt 0 ] || { echo "there is nothing to grade" >&2; exit 3; }

for _ in $(seq "$(nproc)"); do
	while :; do :; done &
	hogs+=($!)
done

passed=0
wrong=0
infra=0
differing=0
for ((i = 0; i < wanted; i++)); do
	read -r id path expected <<<"${submissions[$((i % ${#submissions[@]}))]}"
	status=0
	"$klinic" grade "$id" --submission "$path" --format json >"$work/result.json" 2>"$work/words" || status=$?
	first=$work/first.$((i % ${#submissions[@]}))
	jq -S 'del(.timing, .receipt, .builds[]?.wall_ms, .checks[]?.control?.cached)' "$work/result.json" >"$work/now" 2>/dev/null
	said=
	case $status in
	"$expected") ;;
	4)
		infra=$((infra + 1))
		said="infra: $(head -n 1 "$work/words")"
		;;
	*)
		wrong=$((wrong + 1))
		said="wrong verdict: exit $status where $expected was expected"
		;;
	esac
	if [ ! -e "$first" ]; then
		mv "$work/now" "$first"
	elif ! cmp -s "$first" "$work/now"; then
		differing=$((differing + 1))
		said="$said differs from its first: $(diff "$first" "$work/now" | head -n 3 | tr '\n' ' ')"
	fi
	if [ -z "$said" ]; then
		passed=$((passed + 1))
	else
		echo "$id $path: $said"
	fi
	[ $(((i + 1) % 10)) -ne 0 ] || echo "$((i + 1)) graded, $SECONDS s: $wrong wrong, $infra infra, $differing differing"
done
echo "$wanted gradings of ${#submissions[@]} submissions: $wrong wrong, $infra infra, $differing differing, $SECONDS s"
echo "$passed passed, $((wanted - passed)) failed"
[ "$passed" -eq "$wanted" ]
