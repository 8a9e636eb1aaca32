#!/usr/bin/env bats
# What klinic says when the machine lacks something: exit 4, one sentence, nothing left over.
load common

nothing_left() {
	[ -z "$(ls -A "$TMPDIR")" ] || { ls -RA "$TMPDIR"; return 1; }
}

@test "a refused submission: exit 3, in every format, and nothing is built" {
	printf -- '--- a/other.c\n+++ b/other.c\n@@ -1 +1 @@\n-a\n+b\n' >bad.patch
	run_split "$klinic" grade swap --submission bad.patch
	expect_status 3
	[[ $out == FAIL*refused*other.c* ]]
	run_split "$klinic" grade swap --submission bad.patch --format json
	expect_status 3
	jq -e '.verdict == "fail" and (.refused | length) == 1 and .checks == [] and .score.points == 0' <<<"$out"
	run_split "$klinic" grade swap --submission bad.patch --format junit
	expect_status 3
	xmllint --noout - <<<"$out"
	nothing_left
	[ ! -e "$XDG_CACHE_HOME/klinic/kernels" ]
}

@test "a submission that is not there is a matter of usage" {
	run_split "$klinic" grade swap --submission none.patch
	expect_complaint 2 "none.patch"
}

@test "a patch of the workspace's README is refused, and says what may change" {
	"$klinic" start swap
	echo more >>swap/brief.md
	git -C swap diff handout >brief.patch
	run_split "$klinic" grade swap --submission brief.patch
	expect_status 3
	[[ $out == *swap.c* ]]
}

@test "no QEMU: doctor says so and what to do" {
	KLINIC_QEMU=/nonexistent run_split "$klinic" doctor --format json
	expect_status 4
	jq -e '.ok == false and (.checks[] | select(.name == "qemu") | .state == "missing" and (.remedy | length > 0))' <<<"$out"
}

@test "doctor tells every lack at once" {
	KLINIC_QEMU=/nonexistent KLINIC_SOURCE=/nonexistent run_split "$klinic" doctor
	expect_status 4
	[ "$(grep -c '^missing' "$work/out")" -ge 2 ]
	[[ $out == *"Something is missing"* ]]
}

@test "doctor prints one line a thing, with its state" {
	run_split "$klinic" doctor --format json
	jq -e '.checks | map(.name) | index("qemu") != null and index("sandbox") != null and
		index("source") != null and index("compiler") != null and index("packages") != null and
		index("cache") != null and index("cores") != null and index("memory") != null and
		index("kvm") != null' <<<"$out"
	jq -e 'all(.checks[]; .state | IN("ok", "note", "missing"))' <<<"$out"
}

@test "no kernel source: exit 4 and what to install" {
	KLINIC_SOURCE=/nonexistent run_split "$klinic" kernel build kasan
	expect_complaint 4 "/nonexistent"
	nothing_left
}

@test "a machine that fails after intake: one sentence, and a document for who asked for one" {
	"$klinic" start swap
	export KLINIC_SOURCE=/nonexistent
	run_split "$klinic" grade swap --submission swap
	expect_complaint 4 "/nonexistent"
	run_split "$klinic" grade swap --submission swap --format json
	expect_status 4
	[[ $err == "klinic: "*"/nonexistent"* ]]
	jq -e '.schema == "klinic.result/1" and .verdict == "infra" and .score.max == 0 and
		(.checks | map(.id)) == ["plain", "zq-crowd"] and
		all(.checks[]; .verdict == "infra" and .points_max == 0)' <<<"$out"
	run_split "$klinic" grade swap --submission swap --format json --audience candidate
	expect_status 4
	jq -e '.checks | map(.id) == ["plain", "hidden-1"]' <<<"$out"
	refute grep -q 'zq-crowd' "$work/out"
	run_split "$klinic" check swap
	expect_complaint 4 "/nonexistent"
	nothing_left
}

@test "a cache that cannot be made: exit 4 and which folder" {
	touch file
	XDG_CACHE_HOME=$work/file run_split "$klinic" kernel prune
	expect_complaint 4 "$work/file"
	XDG_CACHE_HOME=$work/file run_split "$klinic" doctor --format json
	expect_status 4
	jq -e '.checks[] | select(.name == "cache") | .state == "missing"' <<<"$out"
}

@test "a cache on a full or read-only disk" {
	XDG_CACHE_HOME=/proc/nowhere run_split "$klinic" kernel build kasan
	expect_complaint 4 "/proc/nowhere"
}

@test "what needs no cache works without one" {
	XDG_CACHE_HOME=/proc/nowhere run_split "$klinic" list --format json
	expect_status 0
	jq -e '.[0].certified == false' <<<"$out"
	XDG_CACHE_HOME=/proc/nowhere run_split "$klinic" show swap
	expect_status 0
	XDG_CACHE_HOME=/proc/nowhere run_split "$klinic" start swap
	expect_status 0
}

@test "no TMPDIR: exit 4 and which folder" {
	TMPDIR=/nonexistent run_split "$klinic" grade swap --submission "$here/exercises/swap/hidden/reference.patch"
	expect_complaint 4 "/nonexistent"
}

# A grade that waits in git for ever, with its temporary folder: sets $pid and $folder.
stuck_grade() {
	mkdir -p bin
	printf '#!/bin/sh\nexec sleep 1000\n' >bin/git
	chmod +x bin/git
	PATH=$work/bin:$PATH "$klinic" grade swap --submission \
		"$here/exercises/swap/hidden/reference.patch" >"$work/out" 2>"$work/err" &
	pid=$!
	for _ in $(seq 600); do
		folder=$(ls -A "$TMPDIR")
		[ -z "$folder" ] || [ "$(pgrep -cP "$pid" -x sleep)" -eq 0 ] || return 0
		sleep 0.1
	done
	return 1
}

@test "a signal leaves no folder: SIGINT, SIGTERM, SIGHUP" {
	for signal in INT TERM HUP; do
		stuck_grade
		kill "-$signal" "$pid"
		status=0
		wait "$pid" || status=$?
		[ "$status" -eq 130 ]
		nothing_left
	done
}

@test "what a killed klinic left in TMPDIR is swept by the next one, what a live one has is not" {
	stuck_grade
	dead=$folder dead_pid=$pid
	mv "$TMPDIR/$dead" "$work/aside"
	stuck_grade
	alive=$folder
	mv "$work/aside" "$TMPDIR/$dead"
	"$klinic" version
	[ -d "$TMPDIR/$dead" ] && [ -d "$TMPDIR/$alive" ]
	kill -KILL "$dead_pid"
	wait "$dead_pid" || true
	[ -d "$TMPDIR/$dead" ]
	mkdir -m 700 others "$TMPDIR/klinic-other" "$TMPDIR/klinic-longer7"
	ln -s "$work/others" "$TMPDIR/klinic-linked"
	touch others/kept
	"$klinic" version
	[ ! -e "$TMPDIR/$dead" ]
	[ -d "$TMPDIR/$alive" ]
	[ -L "$TMPDIR/klinic-linked" ] && [ -e others/kept ]
	[ -d "$TMPDIR/klinic-other" ] && [ -d "$TMPDIR/klinic-longer7" ]
	kill -TERM "$pid"
	wait "$pid" || true
	[ ! -e "$TMPDIR/$alive" ]
}

@test "an exercise with a mistake: exit 3 with file, line and column" {
	sed -i 's/minutes: 5/minutes: soon/' "$KLINIC_ROOT/exercises/swap/exercise.yaml"
	run_split "$klinic" grade swap --submission .
	expect_complaint 3 "exercise.yaml:7:10: "
	run_split "$klinic" certify swap
	expect_complaint 3 "exercise.yaml:7:10: "
}

@test "certify without a reference, or with a variant that is not there" {
	run_split "$klinic" certify swap --variant none
	expect_complaint 2 "free-under-lock"
	rm "$KLINIC_ROOT/exercises/swap/hidden/reference.patch"
	run_split "$klinic" certify swap
	expect_complaint 3 "reference"
}

@test "prune removes templates that no kernel of today is run from, and no others" {
	mkdir -p "$XDG_CACHE_HOME/klinic/templates"
	cd "$XDG_CACHE_HOME/klinic/templates"
	old=$(printf 'a%.0s' {1..64}) busy=$(printf 'b%.0s' {1..64})
	mkdir "$old" "$busy" "$old.new"
	head -c 1000000 /dev/zero >"$old/ram"
	exec 8>"$busy.lock"
	flock 8
	run_split "$klinic" kernel prune --format json
	expect_status 0
	jq -e '.template_bytes >= 1000000' <<<"$out"
	[ ! -e "$old" ] && [ ! -e "$old.new" ] && [ -d "$busy" ]
	exec 8>&-
	run_split "$klinic" kernel prune --all
	[ ! -e "$busy" ]
}

@test "bench knows grade and schedules only, and schedules what the exercise has" {
	run_split "$klinic" bench fork swap
	expect_complaint 2 "“fork”"
	run_split "$klinic" bench schedules swap --check none
	expect_complaint 2 "no such check"
	run_split "$klinic" bench schedules swap --repeat 2000
	expect_complaint 2 "1024"
}

@test "kernel list shows each flavour, built or not" {
	run_split "$klinic" kernel list --format json
	expect_status 0
	jq -e 'any(.[]; .flavour == "kasan" and .ready == false and .current == true)' <<<"$out"
	run_split "$klinic" kernel prune --format json
	expect_status 0
	jq -e '.kernel_bytes == 0 and .template_bytes == 0' <<<"$out"
	run_split "$klinic" kernel build none
	expect_status 3
	[[ $err == *none* ]]
	run_split "$klinic" kernel build
	expect_complaint 2 "FLAVOUR"
	run_split "$klinic" kernel list more
	expect_complaint 2 "“more”"
}
