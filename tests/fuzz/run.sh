#!/usr/bin/env bash
# Fuzzes one target for a while, from the kept corpus; fails when it finds something, and says where it lies.
# What it learns stays in $BUILD/fuzz/work: tests/fuzz/keep.sh makes a new kept corpus of it.
# usage: run.sh libfuzzer|afl TARGET SECONDS
#        run.sh smoke TARGET            a few thousand inputs, the same each time: no clock decides
set -eu
cd "$(dirname "$0")/../.."
engine=$1 target=$2 seconds=${3:-}
build=${BUILD:-build}
corpus=tests/fuzz/corpus/$target
work=$build/fuzz/work/$engine-$target
dict=tests/fuzz/$target.dict
log=$work.log
case $target in # bytes of an input; inputs of the smoke test
mailbox) most=2048 runs=2000 ;;
memory) most=16384 runs=500 ;;
source) most=2048 runs=300 ;;
intake) most=4096 runs=100 ;;
elf | compiler) most=4096 runs=5000 ;;
splat) most=8192 runs=1000 ;;
*) most=8192 runs=5000 ;;
esac
mkdir -p "$work" "$work.found"

libfuzz() { # further options
	"$build/fuzz/libfuzzer/$target" -max_len="$most" -rss_limit_mb=2048 -use_value_profile=1 -print_final_stats=1 \
		-artifact_prefix="$work.found/" $([ ! -f "$dict" ] || echo "-dict=$dict") "$@" "$corpus" >"$log" 2>&1
}
told() { sed -nE 's/^stat::number_of_executed_units: *//p' "$log"; }

libfuzzer() {
	libfuzz -max_total_time="$seconds" -timeout=60 "$work" || return 1
	echo "libfuzzer $target: $(told) executions in $seconds s, $(grep -oE 'cov: [0-9]+' "$log" | tail -n 1 | cut -c6-) edges, nothing found"
}

smoke() {
	local scratch
	scratch=$(mktemp -d)
	libfuzz -seed=1 -runs="$runs" -timeout=3600 "$scratch" || { rm -rf "$scratch"; return 1; }
	rm -rf "$scratch"
	echo "fuzz-smoke $target: $(told) executions, nothing found"
}

afl() {
	export AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1
	local stats=$work/default/fuzzer_stats
	rm -rf "$work/default"
	afl-fuzz -i "$corpus" -o "$work" -G "$most" -V "$seconds" -m none -t 30000 \
		$([ ! -f "$dict" ] || echo "-x $dict") -- "$build/fuzz/afl/$target" >"$log" 2>&1 || return 1
	find "$work"/default/crashes "$work"/default/hangs -type f ! -name README.txt -exec cp -t "$work.found" {} +
	value() { sed -nE "s/^$1 *: *//p" "$stats"; }
	echo "afl $target: $(value execs_done) executions in $seconds s, $(value edges_found) of $(value total_edges) edges," \
		"$(value saved_crashes) crashes, $(value saved_hangs) hangs"
	[ "$(value saved_crashes)" = 0 ] && [ "$(value saved_hangs)" = 0 ]
}

if ! "$engine"; then
	grep -E '^==|SUMMARY|does not hold|runtime error|PROGRAM ABORT' "$log" | tail -n 5
	echo "$engine $target: found something: $work.found/, and $log"
	exit 1
fi
