#!/usr/bin/env bats
# splat and report: files in, text and documents out.
load common

@test "splat prints findings as the golden files have them" {
	for log in "$golden"/splat/*.log; do
		run_split "$klinic" splat "$log" --format json
		expect_status 0
		jq -e 'type == "array" and all(.[]; has("kind") and has("title") and has("function") and
			has("file") and has("line") and has("access"))' <<<"$out" >/dev/null
		jq -S 'map({kind, title, function, access})' <<<"$out" >got
		jq -S '(if type == "array" then . else .findings end) | map({kind, title, function, access})' \
			"${log%.log}.json" >want
		diff -u want got
	done
}

@test "splat explains in text" {
	run_split "$klinic" splat "$golden/splat/kasan-shapes.log"
	expect_status 0
	[[ $out == *"in mishap_read_serial, read of size 8"* && $out == *"called by: "* ]]
}

@test "splat reads standard input" {
	run_split bash -c '"$0" splat - --format json <"$1"' "$klinic" "$golden/splat/kcsan.log"
	expect_status 0
	jq -e '.[0].kind == "kcsan"' <<<"$out"
}

@test "a log without reports is an empty array and exit 0" {
	run_split "$klinic" splat /dev/null --format json
	expect_status 0
	jq -e '. == []' <<<"$out"
}

@test "splat takes 30 MB of anything, and refuses what is over its cap" {
	head -c 30000000 /dev/urandom >noise
	run_split timeout 60 "$klinic" splat noise --format json
	expect_status 0
	jq -e 'type == "array"' <<<"$out"
	truncate -s 70M huge
	run_split timeout 60 "$klinic" splat huge --format json
	expect_complaint 3 "64 MiB"
}

@test "splat of what is no file" {
	run_split "$klinic" splat none
	expect_complaint 2 "none"
	run_split "$klinic" splat .
	expect_complaint 2 "folder"
}

@test "report prints a kept result in each format" {
	r=$golden/graders/broken.result.json
	run_split "$klinic" report "$r"
	expect_status 0
	[ "${out:0:4}" = FAIL ]
	[ "$(wc -L <"$work/out")" -le 80 ]
	run_split "$klinic" report "$r" --format html --output page.html
	expect_status 0
	[ -z "$out" ]
	grep -q '^<!DOCTYPE html>' page.html
	run_split "$klinic" report "$r" --format junit
	xmllint --noout - <<<"$out"
	run_split "$klinic" report "$r" --format json
	jq -e '.schema == "klinic.result/1"' <<<"$out"
}

@test "a candidate's report names nothing hidden, in any format" {
	r=$golden/graders/broken.result.json
	jq -r '.checks[] | select(.hidden) | .id, (.seeds_failed[] | tostring)' "$r" >words
	[ -s words ]
	for f in text html junit json; do
		run_split "$klinic" report "$r" --audience candidate --format "$f"
		expect_status 0
		refute grep -Fwf words "$work/out"
	done
	jq -e '.environment.exercise_digest == "" and
		([.checks[] | select(.hidden)] | length > 0 and
		 all(.[]; .detail == null and .console == null and .findings == [] and .seeds_failed == []))' <<<"$out"
}

@test "a candidate's JSON is still a result" {
	"$klinic" report "$golden/graders/broken.result.json" --audience candidate --format json >r.json
	run_split "$klinic" report r.json --audience candidate
	expect_status 0
}

@test "report of what is no result" {
	echo '{"schema": "klinic.result/1"}' >bad.json
	run_split "$klinic" report bad.json
	expect_complaint 3 "bad.json"
	echo 'no json' >bad.json
	run_split "$klinic" report bad.json
	expect_complaint 3 "bad.json"
	run_split "$klinic" report none.json
	[ "$status" -ne 0 ]
	[[ $err == *none.json* ]]
}

@test "--output follows a link and writes to a device without replacing it" {
	r=$golden/graders/broken.result.json
	touch real
	ln -s real link
	"$klinic" report "$r" --output link
	[ -L link ] && [ -s real ]
	mkfifo pipe
	cat pipe >copy &
	"$klinic" report "$r" --output pipe
	wait
	[ -p pipe ] && cmp copy real
	[ "$("$klinic" report "$r" --output -)" = "$(cat real)" ]
}

@test "a reader that goes away is no error" {
	for i in $(seq 200); do cat "$golden/splat/kasan-shapes.log"; done >big
	status=0
	"$klinic" splat big 2>"$work/err" | head -n 1 >/dev/null || status=${PIPESTATUS[0]}
	[ "$status" -eq 0 ]
	[ ! -s "$work/err" ] || [[ $(cat "$work/err") == *"more reports"* ]]
}

@test "a full disk under standard output is told" {
	status=0
	"$klinic" report "$golden/graders/broken.result.json" >/dev/full 2>"$work/err" || status=$?
	[ "$status" -eq 4 ]
	grep -q '^klinic: cannot write' "$work/err"
}

@test "colour on a terminal only, and not with NO_COLOR" {
	r=$golden/graders/broken.result.json
	run_on_terminal "$klinic report $r"
	[[ $output == *$'\033['* ]]
	NO_COLOR=1 run_on_terminal "$klinic report $r"
	[[ $output != *$'\033['* ]]
	run_split "$klinic" report "$r"
	[[ $out != *$'\033['* ]]
}

@test "Ctrl-C while splat waits for input" {
	set -m
	sleep 60 | "$klinic" splat - >"$work/out" 2>"$work/err" &
	sleep 0.5
	kill -INT $(pgrep -g "$(jobs -p %+)" -x klinic)
	status=0
	for _ in $(seq 50); do
		grep -q interrupted "$work/err" && break
		sleep 0.1
	done
	kill %+ 2>/dev/null || true
	set +m
	[ "$(cat "$work/err")" = "klinic: interrupted" ]
	[ ! -s "$work/out" ]
}
