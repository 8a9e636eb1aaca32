#!/usr/bin/env bats
# list, show and start: the public half of an exercise, and nothing of the other.
load common

secrets() { # words that stand in hidden/ only
	grep -rlE 'zq|crowd|free-under-lock|770001|spinlock' "$@"
}

@test "list prints the contract's fields" {
	run_split "$klinic" list --format json
	expect_status 0
	jq -e 'length == 1 and (.[0] | keys_unsorted ==
		["id","title","kind","level","minutes","subsystem","bug_class","tracks","certified"])' <<<"$out"
	jq -e '.[0] == {id: "swap", title: "A value that is swapped under its reader", kind: "fix",
		level: "introductory", minutes: 5, subsystem: "misc", bug_class: "use-after-free",
		tracks: ["ci"], certified: false}' <<<"$out"
}

certified() {
	"$klinic" list --format json | jq -e '.[0].certified'
}

# Where the certificate would be, of the sentence that says that there is none.
certificate_path() {
	run_split "$klinic" certify swap --kept
	expect_complaint 3 "run klinic certify swap" || return 1
	certificate=${err##* keeps it as }
	[[ $certificate == "$XDG_CACHE_HOME/klinic/certificates/"*.json ]]
}

@test "a certificate counts for the exercise as it is, and for what would judge it now" {
	# A content root of copies, to be changed.
	rm "$KLINIC_ROOT/runner" "$KLINIC_ROOT/broken-kernels"
	cp -r "$top/broken-kernels" "$KLINIC_ROOT/"
	mkdir "$KLINIC_ROOT/runner"
	cp -r "$top/runner/guest" "$KLINIC_ROOT/runner/"
	certificate_path
	first=$certificate
	mkdir -p "$(dirname "$first")"
	echo '{"certified": true}' >"$first"
	certified
	"$klinic" certify swap --kept | jq -e '.certified'
	for bad in '{"certified": false}' '{"certified": "true"}' '{"certified": tr' ''; do
		echo "$bad" >"$first"
		refute certified
	done
	echo '{"certified": true}' >"$first"
	for what in "exercises/swap/hidden/notes.md" broken-kernels/flavours/kasan.config \
		runner/guest/agent.c runner/guest/sched.c runner/guest/kit.c; do
		cp "$KLINIC_ROOT/$what" saved 2>/dev/null || rm -f saved
		echo "# CONFIG_NOTHING is not set" >>"$KLINIC_ROOT/$what"
		refute certified
		if [ -e saved ]; then cp saved "$KLINIC_ROOT/$what"; else rm "$KLINIC_ROOT/$what"; fi
		certified
	done
	mkdir bin
	printf '#!/bin/sh\necho QEMU emulator version 99.0.1\n' >bin/qemu
	chmod +x bin/qemu
	KLINIC_QEMU=$work/bin/qemu refute certified
}

@test "an exercise that cannot be read is complained of, the others are listed" {
	cp -r "$KLINIC_ROOT/exercises/swap" "$KLINIC_ROOT/exercises/broken"
	run_split "$klinic" list --format json
	expect_status 3
	[[ $err == *"exercises/broken/exercise.yaml:1:"* ]]
	jq -e 'map(.id) == ["swap"]' <<<"$out"
}

@test "an empty catalogue is an empty array" {
	rm -rf "$KLINIC_ROOT/exercises/swap"
	run_split "$klinic" list --format json
	expect_status 0
	jq -e '. == []' <<<"$out"
}

@test "a root that is none is told with what to set" {
	KLINIC_ROOT=/nonexistent run_split "$klinic" list
	expect_complaint 2 "KLINIC_ROOT"
}

@test "show gives facts and brief, and of hidden checks only their number" {
	run_split "$klinic" show swap
	expect_status 0
	[[ $out == *"1 visible, 1 hidden"* && $out == *"the machine goes down"* ]]
	refute secrets "$work/out"
	run_split "$klinic" show swap --format json
	expect_status 0
	refute secrets "$work/out"
	jq -e '.id == "swap" and .editable == ["swap.c"] and .hidden_checks == 1 and
		.visible_checks == [{id: "plain", title: "What was written is what is read"}] and
		(.brief | startswith("# Reported"))' <<<"$out"
}

@test "show of an exercise that is not there" {
	run_split "$klinic" show none
	expect_complaint 2 "klinic list"
}

@test "start makes a workspace of the handout alone, with one commit" {
	run_split "$klinic" start swap
	expect_status 0
	[ "$(ls -A swap | LC_ALL=C sort | tr '\n' ' ')" = ".git .klinic README.md brief.md checks swap.c " ]
	cmp swap/swap.c "$here/exercises/swap/handout/swap.c"
	[ "$(git -C swap rev-list --all --count)" -eq 1 ]
	[ -z "$(git -C swap status --porcelain)" ]
	[ "$(git -C swap log -1 --format='%an <%ae> %ad' --date=iso-strict)" = \
		"klinic <klinic@localhost> 2026-01-01T00:00:00+00:00" ]
}

@test "start leaves nothing of hidden/ in files, names or git objects" {
	"$klinic" start swap
	refute secrets swap
	for o in $(git -C swap cat-file --batch-check --batch-all-objects | cut -d' ' -f1); do
		git -C swap cat-file -p "$o" >"$work/object"
		refute secrets "$work/object"
	done
	refute grep -rq "$KLINIC_ROOT" swap
}

@test "two workspaces are the same commit" {
	"$klinic" start swap a
	export HOME=$work GIT_AUTHOR_NAME=somebody GIT_COMMITTER_DATE=2001-01-01T00:00:00Z
	git config --global user.name somebody
	git config --global core.hooksPath /nonexistent
	git config --global commit.gpgsign true
	TZ=Asia/Tokyo "$klinic" start swap b
	[ "$(git -C a rev-parse HEAD)" = "$(git -C b rev-parse HEAD)" ]
}

@test "the workspace names the handout's digest, not the exercise's" {
	"$klinic" start swap
	before=$(jq -r .public_digest swap/.klinic/workspace.json)
	[ "${#before}" -eq 64 ]
	echo more >>"$KLINIC_ROOT/exercises/swap/hidden/notes.md"
	"$klinic" start swap again
	[ "$(jq -r .public_digest again/.klinic/workspace.json)" = "$before" ]
	[ "$(jq -r .exercise again/.klinic/workspace.json)" = swap ]
	diff -r swap again
}

@test "a workspace carries its own copy of the candidate's half" {
	sed -i 's/^checks:/hints:\n  - {text: zq is a hint, cost: 1}\n# zq is a remark\nchecks:/' \
		"$KLINIC_ROOT/exercises/swap/exercise.yaml"
	"$klinic" start swap
	refute secrets swap/.klinic
	[ "$(cd swap/.klinic && find . -type f | LC_ALL=C sort | tr '\n' ' ')" = \
		"./swap/brief.md ./swap/exercise.yaml ./swap/handout/checks/plain.c ./swap/handout/swap.c ./workspace.json " ]
	diff -r swap/.klinic/swap/handout "$here/exercises/swap/handout"
	jq -e 'has("hints") == false and .checks == {visible: [{id: "plain",
		title: "What was written is what is read", program: "handout/checks/plain.c"}]} and
		.minutes == 5 and .imports == ["_raw_spin_lock", "_raw_spin_unlock"]' swap/.klinic/swap/exercise.yaml
}

@test "without hidden/ there is a catalogue and a desk, and no grading" {
	rm -r "$KLINIC_ROOT/exercises/swap/hidden"
	run_split "$klinic" list --format json
	expect_status 0
	jq -e '.[0].id == "swap" and .[0].certified == false' <<<"$out"
	run_split "$klinic" show swap --format json
	expect_status 0
	jq -e '.hidden_checks == 1 and (.visible_checks | length) == 1' <<<"$out"
	"$klinic" start swap
	for v in "grade swap --submission swap" "certify swap" "bench grade swap"; do
		run_split "$klinic" $v
		expect_complaint 3 "hidden half is not here"
	done
}

@test "a workspace is told when the catalogue's exercise, or its own copy, has changed" {
	"$klinic" start swap
	sed -i s/swap_read/swap_look/g swap/.klinic/swap/handout/swap.c
	KLINIC_SOURCE=/nonexistent run_split "$klinic" check swap
	[[ $err == *"own copy of swap"*"was changed"* ]]
	git -C swap checkout -q handout .klinic
	echo more >>"$KLINIC_ROOT/exercises/swap/hidden/notes.md"
	KLINIC_SOURCE=/nonexistent run_split "$klinic" check swap
	expect_complaint 4 "/nonexistent"
	echo more >>"$KLINIC_ROOT/exercises/swap/brief.md"
	KLINIC_SOURCE=/nonexistent run_split "$klinic" check swap
	[[ $err == *"swap has changed since"* ]]
}

@test "a workspace names no exercise outside of it" {
	"$klinic" start swap
	for id in ../swap "$KLINIC_ROOT/exercises/swap" . ""; do
		jq --arg id "$id" '.exercise = $id' swap/.klinic/workspace.json >mark
		cp mark swap/.klinic/workspace.json
		run_split "$klinic" check swap
		expect_complaint 3 ".klinic"
	done
	git -C swap checkout -q handout .klinic
	mv swap/.klinic/swap/handout aside
	ln -s "$work/aside" swap/.klinic/swap/handout
	run_split "$klinic" check swap
	expect_complaint 3 "handout/ is no folder"
}

@test "start takes an empty folder and refuses any other" {
	mkdir empty full
	touch full/mine
	"$klinic" start swap empty
	[ -e empty/swap.c ]
	run_split "$klinic" start swap full
	expect_complaint 2 "not empty"
	[ "$(ls -A full)" = mine ]
	run_split "$klinic" start swap empty
	expect_complaint 2 "not empty"
	run_split "$klinic" start swap none/below
	expect_complaint 2 "above it"
	touch file
	run_split "$klinic" start swap file
	expect_complaint 2 "no folder"
}

@test "start leaves nothing behind when it fails" {
	ln -s /etc/passwd "$KLINIC_ROOT/exercises/swap/handout/zz-link"
	run_split "$klinic" start swap
	expect_complaint 3 "zz-link"
	[ ! -e swap ]
	mkdir empty
	run_split "$klinic" start swap empty
	expect_status 3
	[ -z "$(ls -A empty)" ]
	rm "$KLINIC_ROOT/exercises/swap/handout/zz-link"
	mkdir bin
	printf '#!/bin/sh\nexit 1\n' >bin/git
	chmod +x bin/git
	PATH=$work/bin:$PATH run_split "$klinic" start swap
	expect_complaint 4 "git"
	[ ! -e swap ]
}

@test "run and check want a workspace" {
	for v in run check; do
		run_split "$klinic" "$v"
		expect_complaint 2 "klinic start"
		run_split "$klinic" "$v" /nonexistent
		expect_complaint 2 "/nonexistent"
	done
}

@test "check does not tell a hidden check from one that is not there" {
	"$klinic" start swap
	run_split "$klinic" check swap --check zq-crowd
	expect_status 2
	hidden=$err
	run_split "$klinic" check swap --check zq-other
	expect_status 2
	[ "${hidden//zq-crowd/X}" = "${err//zq-other/X}" ]
}

@test "a workspace file that names nothing" {
	"$klinic" start swap
	echo '{}' >swap/.klinic/workspace.json
	run_split "$klinic" check swap
	expect_complaint 3 ".klinic"
	echo '{' >swap/.klinic/workspace.json
	run_split "$klinic" check swap
	expect_status 3
}
