#!/usr/bin/env bats
# How grading ends when something is missing or somebody stops it: takes guests. The kernel and the templates are those of the user's cache.
load common
load guests

setup_file() {
	export KLINIC_USER_CACHE=${XDG_CACHE_HOME:-}
}

@test "no QEMU: exit 4, one sentence" {
	use_users_cache
	KLINIC_QEMU=/nonexistent run_split "$klinic" grade swap --submission "$KLINIC_ROOT/exercises/swap/handout"
	expect_complaint 4 "/nonexistent"
	nothing_left
}

@test "no sandbox: exit 4, one sentence" {
	use_users_cache
	mkdir bin
	for p in /usr/bin/* /usr/sbin/*; do ln -s "$p" bin/ 2>/dev/null || true; done
	rm bin/bwrap
	PATH=$work/bin run_split "$klinic" grade swap --submission "$KLINIC_ROOT/exercises/swap/handout"
	expect_complaint 4 "bubblewrap"
	nothing_left
}

wait_for_guest() { # PID
	for _ in $(seq 600); do
		guest=$(guests_of "$1" | head -n 1)
		[ -z "$guest" ] || return 0
		sleep 0.1
	done
	return 1
}

gone() { # PID
	for _ in $(seq 100); do
		[ -d "/proc/$1" ] || return 0
		sleep 0.1
	done
	return 1
}

long_grade() {
	"$klinic" grade swap --submission "$KLINIC_ROOT/exercises/swap/hidden/reference.patch" --seeds 500 \
		>"$work/out" 2>"$work/err" &
	pid=$!
	wait_for_guest "$pid"
}

@test "Ctrl-C ends cleanly: exit 130, no guest, no folder" {
	use_users_cache
	# Jobs of a script ignore SIGINT: with job control they do not.
	set -m
	long_grade
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	set +m
	[ "$status" -eq 130 ]
	gone "$guest"
	nothing_left
	[ "$(cat "$work/err")" = "klinic: interrupted" ]
	[ ! -s "$work/out" ]
}

@test "SIGTERM ends as cleanly" {
	use_users_cache
	long_grade
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 130 ]
	gone "$guest"
	nothing_left
}

@test "kill -9 leaves no guest behind, and no folder once klinic starts again" {
	use_users_cache
	long_grade
	kill -KILL "$pid"
	wait "$pid" || true
	gone "$guest"
	"$klinic" version
	nothing_left
}

@test "progress is for terminals: shown after two seconds, and erased" {
	use_users_cache
	run_on_terminal "$klinic grade swap --submission $KLINIC_ROOT/exercises/swap/hidden/reference.patch --seeds 8 2>$work/terminal >/dev/null"
	[ ! -s "$work/terminal" ]
	run_on_terminal "$klinic grade swap --submission $KLINIC_ROOT/exercises/swap/hidden/reference.patch --seeds 8 >/dev/null"
	[[ $output == *"grading"*"guests "*"/16"* ]]
	# The last thing on the terminal is the empty line that it leaves.
	[[ $output == *$'\r\033[K' ]]
}

@test "bench schedules counts failing runs under each schedule" {
	use_users_cache
	run_split "$klinic" bench schedules swap --variant broken --repeat 1 --format json
	expect_status 0
	jq -e '.bench == "schedules" and .seeds == 1 and ([.rows[].variant] | unique) == ["broken"]
		and (.rows[0].schedules | map([.schedule, .depth]))
			== [["none", 0], ["random", 0], ["pct", 1], ["pct", 2], ["pct", 3]]
		and all(.rows[0].schedules[]; .runs == 1 and .failures <= 1)
		and .rows[0].schedules[0].points == 0 and .rows[0].schedules[2].points > 0' <<<"$out"
}

@test "bench grade tells what evidence costs, in one run" {
	use_users_cache
	run_split "$klinic" bench grade swap --repeat 1 --format json
	expect_status 0
	jq -e '.bench == "grade" and .guests_ms.median > 0 and .bare_guests_ms.median > 0
		and (.evidence_ms_per_run | has("min") and has("median") and has("max"))' <<<"$out"
}
