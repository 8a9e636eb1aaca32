#!/usr/bin/env bats
# Receipts: what grade signs, and what verify says of it.
load common

# A refused submission is a result too, and needs no guest.
grade() { # FILE [OPTION …]
	local to=$1
	shift
	printf -- '--- a/other.c\n+++ b/other.c\n@@ -1 +1 @@\n-a\n+b\n' >bad.patch
	"$klinic" grade swap --submission bad.patch --format json -o "$to" "$@" || [ $? -eq 3 ]
}

expect_state() { # STATUS STATE
	expect_status "$1" || return 1
	jq -e --arg s "$2" '.state == $s' <<<"$out" || { echo "$out"; return 1; }
}

@test "grade signs what it prints, with a key made on first use" {
	[ ! -e "$XDG_CONFIG_HOME" ]
	(umask 0; grade r.json)
	[ "$(stat -c %a "$XDG_CONFIG_HOME/klinic" "$XDG_CONFIG_HOME/klinic/receipt.key" | tr '\n' ' ')" = "700 600 " ]
	run_split "$klinic" verify r.json
	expect_status 0
	[[ $out == "Good: fail of swap, signed by "*"your own key."* ]]
	run_split "$klinic" verify r.json --format json
	expect_state 0 good
	jq -e '.receipt.algorithm == "ed25519" and .receipt.digests.exercise == .environment.exercise_digest' r.json
	cp "$XDG_CONFIG_HOME/klinic/receipt.key" before
	grade again.json
	cmp before "$XDG_CONFIG_HOME/klinic/receipt.key"
	[ "$(jq -r .receipt.digests.result r.json)" = "$(jq -r .receipt.digests.result again.json)" ]
}

@test "every change is found, and a missing receipt is none" {
	grade r.json
	jq '.verdict = "pass"' r.json >c.json
	run_split "$klinic" verify c.json --format json
	expect_state 1 changed
	jq -e '.changed == "result"' <<<"$out"
	jq '.timing.total_ms += 1' r.json >c.json
	run_split "$klinic" verify c.json
	expect_status 1
	[[ $out == "Changed: "*"its timing was changed"* ]]
	jq '.more = 1' r.json >c.json
	run_split "$klinic" verify c.json --format json
	expect_state 1 changed
	jq '.receipt.digests.result = ("0" * 64)' r.json >c.json
	run_split "$klinic" verify c.json --format json
	expect_state 1 forged
	jq 'del(.receipt)' r.json >c.json
	run_split "$klinic" verify c.json --format json
	expect_state 1 none
	jq -S --tab . r.json >c.json
	run_split "$klinic" verify c.json --format json
	expect_state 0 good
}

@test "another's key is unknown until it is named" {
	grade r.json
	print=$(jq -r .receipt.fingerprint r.json)
	mv "$XDG_CONFIG_HOME" theirs
	run_split "$klinic" verify r.json --format json
	expect_state 1 unknown-key
	[ ! -e "$XDG_CONFIG_HOME" ]
	run_split "$klinic" verify r.json --key "$print" --format json
	expect_state 0 good
	run_split "$klinic" verify r.json --key theirs/klinic/receipt.pub
	expect_status 0
	[[ $out == *"the key that was named"* ]]
	# With --key one's own key is no longer good enough.
	grade mine.json
	run_split "$klinic" verify mine.json --key "$print" --format json
	expect_state 1 unknown-key
	run_split "$klinic" verify mine.json --key theirs/klinic/receipt.pub --format json
	expect_state 1 unknown-key
	# A forger signs with a key of theirs: good for nobody who did not name it.
	run_split "$klinic" verify r.json --format json
	expect_state 1 unknown-key
	run_split "$klinic" verify r.json --key none
	expect_complaint 2 "fingerprint"
	run_split "$klinic" verify r.json --key theirs/klinic/receipt.key
	expect_complaint 3 "receipt.key"
	chmod 644 "$XDG_CONFIG_HOME/klinic/receipt.key"
	run_split "$klinic" verify r.json --key "$print" --format json
	expect_state 0 good
}

@test "a key that others may read stops grade before its work" {
	grade r.json
	chmod 640 "$XDG_CONFIG_HOME/klinic/receipt.key"
	run_split "$klinic" grade swap --submission bad.patch --format json
	expect_complaint 4 "chmod 600"
	chmod 600 "$XDG_CONFIG_HOME/klinic/receipt.key"
	echo more >>"$XDG_CONFIG_HOME/klinic/receipt.key"
	run_split "$klinic" grade swap --submission bad.patch --format json
	expect_complaint 4 "no key"
	XDG_CONFIG_HOME=/proc/nowhere run_split "$klinic" grade swap --submission bad.patch --format json
	expect_complaint 4 "/proc/nowhere"
	run_split env -u HOME -u XDG_CONFIG_HOME "$klinic" grade swap --submission bad.patch --format json
	expect_complaint 4 "XDG_CONFIG_HOME"
	# Text is not signed and needs no key.
	XDG_CONFIG_HOME=/proc/nowhere run_split "$klinic" grade swap --submission bad.patch
	expect_status 3
}

@test "a candidate's result is signed as the candidate gets it" {
	grade r.json --audience candidate
	run_split "$klinic" verify r.json --format json
	expect_state 0 good
	jq -e '.receipt.digests.exercise == "" and .environment.exercise_digest == ""' r.json
	# And one that report makes of a good one, but not of a changed one or of another's.
	grade whole.json
	"$klinic" report whole.json --audience candidate --format json >half.json
	run_split "$klinic" verify half.json --format json
	expect_state 0 good
	jq '.verdict = "pass"' whole.json >changed.json
	run_split "$klinic" report changed.json --audience candidate --format json
	[[ $err == *"receipt does not fit"* ]]
	jq -e 'has("receipt") == false' <<<"$out"
	rm -r "$XDG_CONFIG_HOME"
	"$klinic" report whole.json --audience candidate --format json | jq -e 'has("receipt") == false'
	"$klinic" report whole.json --format json | cmp - whole.json
}

@test "report shows who signed, and says when it does not fit" {
	grade r.json
	print=$(jq -r .receipt.fingerprint r.json)
	for f in text html junit; do
		run_split "$klinic" report r.json --format "$f"
		[[ $out == *"$print"* ]]
	done
	jq '.title = "x"' r.json >c.json
	for f in text html junit; do
		run_split "$klinic" report c.json --format "$f"
		expect_status 0
		[[ $err == *"receipt does not fit"* ]]
		[[ $out != *"$print"* ]]
	done
}

@test "what is no result: exit 3 with its place" {
	grade r.json
	head -c 700 r.json >bad.json
	run_split "$klinic" verify bad.json
	expect_complaint 3 "bad.json:"
	: >bad.json
	run_split "$klinic" verify bad.json
	expect_complaint 3 "bad.json"
	truncate -s 70M bad.json
	run_split "$klinic" verify bad.json
	expect_complaint 3 "bad.json"
	printf '%0100000d' 0 | tr 0 '[' >bad.json
	run_split "$klinic" verify bad.json
	expect_complaint 3 "bad.json"
	sed 's/"verdict"/"verdict": "pass", "verdict"/' r.json >bad.json
	run_split "$klinic" verify bad.json
	expect_complaint 3 "uplicate"
	for edit in '.receipt = 1' '.receipt = null' '.receipt = {}' '.receipt.signature = 5' \
		'.receipt.signature |= ascii_upcase' '.receipt.more = 1' '.receipt.algorithm = "none"' \
		'.receipt.digests = []' '.receipt.digests.more = ""' '.receipt.digests.result = "\u0000"' \
		'.receipt.public_key += "00"' '.checks = 5' '.verdict = "good"' 'del(.environment)'; do
		jq "$edit" r.json >bad.json
		run_split "$klinic" verify bad.json
		expect_complaint 3 "bad.json"
	done
	run_split "$klinic" verify none.json
	[ "$status" -ne 0 ] && [ -z "$out" ]
}
