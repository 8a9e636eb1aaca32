#!/usr/bin/env bash
# A new kept corpus: of what is kept and what both engines learned, the smallest inputs that reach every edge that all of it reaches.
# usage: keep.sh TARGET…
set -eu
cd "$(dirname "$0")/../.."
build=${BUILD:-build}
for target in "$@"; do
	kept=tests/fuzz/corpus/$target
	new=$(mktemp -d)
	learned=("$kept")
	for d in "$build/fuzz/work/libfuzzer-$target" "$build/fuzz/work/afl-$target/default/queue"; do
		[ ! -d "$d" ] || learned+=("$d")
	done
	"$build/fuzz/libfuzzer/$target" -merge=1 -max_len=4096 -use_counters=0 "$new" "${learned[@]}" 2>"$build/fuzz/work/keep-$target.log"
	rm -rf "$kept"
	mkdir -p "$kept"
	for f in "$new"/*; do mv "$f" "$kept/$(sha1sum <"$f" | cut -c1-12)"; done
	rmdir "$new"
	echo "$target: $(find "$kept" -type f | wc -l) inputs, $(find "$kept" -type f -printf '%s\n' | awk '{ n += $1 } END { print n }') bytes"
done
