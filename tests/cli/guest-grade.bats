#!/usr/bin/env bats
# What takes guests: kept few. The kernel and the templates are those of the user's cache.
load common
load guests

setup_file() {
	export KLINIC_USER_CACHE=${XDG_CACHE_HOME:-}
}

@test "the reference passes, the handout fails, and nothing is left behind" {
	use_users_cache
	run_split "$klinic" grade swap --submission "$KLINIC_ROOT/exercises/swap/hidden/reference.patch" --format json
	expect_status 0
	[ -z "$err" ]
	jq -e '.schema == "klinic.result/1" and .verdict == "pass" and .score == {points: 4.0, max: 4.0} and
		(.checks | map([.id, .verdict, .runs, .failures])) ==
			[["plain", "pass", 1, 0], ["zq-crowd", "pass", 4, 0]] and
		(.environment | .template_ram != "" and .qemu != null and .klinic != null) and
		.timing.total_ms >= .timing.vm_ms' <<<"$out"
	run_split "$klinic" grade swap --submission "$KLINIC_ROOT/exercises/swap/handout"
	expect_status 1
	[[ $out == FAIL*"use-after-free"*"swap.c:"* ]]
	nothing_left
}

controls() { # of the reference: check, verdict, variant, runs, failures
	jq -c '.checks | map([.id, .verdict, .control.variant, .control.runs, .control.failures])' <<<"$out"
}

@test "what passes is held against what is known to be wrong" {
	use_users_cache
	hidden=$KLINIC_ROOT/exercises/swap/hidden
	run_split "$klinic" grade swap --submission "$hidden/reference.patch" --format json
	expect_status 0
	[ "$(controls)" = '[["plain","pass","no-swap",1,1],["zq-crowd","pass","broken",1,1]]' ]
	# A second time it costs nothing, and says the same.
	run_split "$klinic" grade swap --submission "$hidden/reference.patch" --format json
	[ "$(controls)" = '[["plain","pass","no-swap",1,1],["zq-crowd","pass","broken",1,1]]' ]
	jq -e 'all(.checks[]; .control.cached)' <<<"$out"
	run_split "$klinic" grade swap --submission "$hidden/reference.patch" --format json --audience candidate
	jq -e 'all(.checks[]; .control == null)' <<<"$out"
	# What fails has spoken: nothing to hold it against.
	run_split "$klinic" grade swap --submission "$KLINIC_ROOT/exercises/swap/handout" --format json
	[ "$(controls)" = '[["plain","pass","no-swap",1,1],["zq-crowd","fail",null,null,null]]' ]
}

@test "a check that nothing fails, and one whose control passes, say nothing" {
	use_users_cache
	hidden=$KLINIC_ROOT/exercises/swap/hidden
	rm "$hidden/decoys/no-swap.patch"
	sed -i '/^no-swap:/,/caught_by/d' "$hidden/variants.yaml"
	run_split "$klinic" grade swap --submission "$hidden/reference.patch" --format json
	expect_status 5
	[ "$(controls)" = '[["plain","inconclusive",null,0,0],["zq-crowd","pass","broken",1,1]]' ]
	jq -e '.checks[0].detail | contains("wants a decoy")' <<<"$out"
	# It is said to fail plain, and does not.
	sed -i 's/caught_by: \[zq-crowd\]/caught_by: [plain, zq-crowd]/' "$hidden/variants.yaml"
	run_split "$klinic" grade swap --submission "$hidden/reference.patch" --format json
	expect_status 5
	jq -e '.checks[0] | .verdict == "inconclusive" and .control.runs == 1 and .control.failures == 0' <<<"$out"
}

@test "one seed, one run, one kernel log" {
	use_users_cache
	for i in 1 2; do
		run_split "$klinic" grade swap --submission "$KLINIC_ROOT/exercises/swap/handout" \
			--check zq-crowd --seed 770002 --log
		[ "$status" -eq 0 ] || [ "$status" -eq 1 ]
		sed -n '/^Kernel log/,$p' "$work/out" >"log$i"
	done
	grep -q '^Kernel log of zq-crowd, seed 770002:$' log1
	[ "$(wc -l <log1)" -gt 1 ]
	cmp log1 log2
}

@test "a candidate's failing grade does not give the hidden check away" {
	use_users_cache
	for f in text json html junit; do
		run_split "$klinic" grade swap --submission "$KLINIC_ROOT/exercises/swap/hidden/decoys/free-under-lock.patch" \
			--audience candidate --format "$f"
		expect_status 1
		refute grep -qE 'zq|77000|crowd' "$work/out"
	done
}

@test "the desk: start, run, check, mend, check" {
	use_users_cache
	"$klinic" start swap
	cd swap
	run_split "$klinic" run
	expect_status 0
	[[ $out == *"1 of 1 visible checks hold"* ]]
	sed -i 's/kfree(copy);/kfree(copy); kfree(copy);/' swap.c
	run_split "$klinic" run
	expect_status 1
	[[ $out == *"BUG: KASAN"*"--- run 1 of"*"double-free"*"swap.c:"* ]]
	sed -i 's/kfree(copy); kfree(copy);/kfree(copy)/' swap.c
	run_split "$klinic" check
	expect_status 1
	[[ $out == *"does not build"*"swap.c:"*"error: "* ]]
	git checkout -q swap.c
	sed -i 's/kfree(copy);/kfree(copy); lockdep_off();/' swap.c
	run_split "$klinic" check
	expect_status 1
	[[ $out == "Refused: swap.c:"*"lockdep"* ]]
	git checkout -q swap.c
	run_split "$klinic" check --format json
	expect_status 0
	jq -e '.verdict == "pass" and (.checks | map(.id)) == ["plain"] and .environment.exercise_digest == ""' <<<"$out"
}

@test "a workspace is enough: no hidden/, and then no catalogue" {
	use_users_cache
	rm -r "$KLINIC_ROOT/exercises/swap/hidden"
	"$klinic" start swap
	cd swap
	run_split "$klinic" run
	expect_status 0
	[[ $out == *"1 of 1 visible checks hold"* ]]
	mkdir "$work/bare" "$work/bare/runner"
	ln -s "$top/rubrics" "$top/broken-kernels" "$top/include" "$work/bare/"
	ln -s "$top/runner/guest" "$work/bare/runner/"
	KLINIC_ROOT=$work/bare run_split "$klinic" check --format json
	expect_status 0
	[ -z "$err" ]
	jq -e '.verdict == "pass" and (.checks | map(.id)) == ["plain"]' <<<"$out"
	# An oracle of the candidate's own is run, but not where it could see or write anything.
	sed -i '/KL_ORACLE/,$d' .klinic/swap/handout/checks/plain.c
	cat >>.klinic/swap/handout/checks/plain.c <<-EOF
		#ifdef KL_ORACLE
		#include <string.h>
		#include <stdio.h>
		void kl_check_expect(const struct kl_challenge *c)
		{
			uint64_t v;
			FILE *f = fopen("$work/written", "w");

			memcpy(&v, c->bytes, sizeof(v));
			kl_expect(0, v + !!f + !!fopen("$work/swap/swap.c", "r"), "the value read back");
		}
		#endif
	EOF
	cp .klinic/swap/handout/checks/plain.c checks/
	run_split "$klinic" check
	expect_status 0
	[[ $err == *"own copy of swap"* ]]
	[ ! -e "$work/written" ]
	nothing_left
}

# In a cache of its own with a copy of the kernel: pruning the user's would be everybody's loss.
@test "prune keeps the template of today's kernel, and only while QEMU is the same" {
	use_users_cache
	users=${XDG_CACHE_HOME:-$HOME/.cache}/klinic
	digest=$("$klinic" kernel list --format json |
		jq -r '.[] | select(.flavour == "kasan" and .current and .ready) | .digest')
	"$klinic" start swap
	export XDG_CACHE_HOME=$work/cache
	mkdir -p "$XDG_CACHE_HOME/klinic/kernels"
	cp -al "$users/kernels/$digest" "$XDG_CACHE_HOME/klinic/kernels/" ||
		cp -a "$users/kernels/$digest" "$XDG_CACHE_HOME/klinic/kernels/"
	"$klinic" check swap
	[ "$(ls -d "$XDG_CACHE_HOME"/klinic/templates/*/ | wc -l)" -eq 1 ]
	before=$(ls -d "$XDG_CACHE_HOME"/klinic/templates/*/)
	run_split "$klinic" kernel prune --format json
	expect_status 0
	jq -e '.template_bytes == 0' <<<"$out"
	[ -d "$before" ]
	printf '#!/bin/sh\nexec qemu-system-x86_64 "$@"\n' >qemu
	chmod +x qemu
	KLINIC_QEMU=$work/qemu run_split "$klinic" kernel prune --format json
	expect_status 0
	jq -e '.template_bytes > 200000000' <<<"$out"
	[ ! -e "$before" ]
}

@test "a module that no run has room for fails, and says why" {
	use_users_cache
	"$klinic" start swap
	sed -i 's/^static struct value \*current_value;/&\nu8 table[5 << 20] = { 1 };/' swap/swap.c
	run_split "$klinic" grade swap --submission swap --format json
	expect_status 1
	[ -z "$err" ]
	jq -e '.verdict == "fail" and .checks == [] and (.policy | map(select(.refused)) | length) == 1 and
		(.policy[] | select(.refused) | .rule == "module-size" and .file == "swap.ko" and (.text | contains("KiB")))' <<<"$out"
	nothing_left
}

@test "certify: every variant as it should be, and the certificate counts in the list" {
	use_users_cache
	run_split "$klinic" certify swap --format json
	expect_status 0
	jq -e '.exercise == "swap" and .certified and
		(.variants | map([.name, .role, .expected, .verdict])) == [
			["broken", "broken", "fail", "fail"],
			["reference", "reference", "pass", "pass"],
			["spinlock", "alternative", "pass", "pass"],
			["free-under-lock", "decoy", "fail", "fail"],
			["no-swap", "decoy", "fail", "fail"],
			["noop", "noop", "fail", "fail"]] and
		all(.variants[]; has("runs") and has("failures")) and
		(.races | map(.check)) == ["zq-crowd"] and .races[0].runs == 32 and
		(.checks | map([.id, .control, .objection])) == [["plain", "no-swap", null], ["zq-crowd", "broken", null]] and
		(.checks[1].rates | map([.variant, .runs])) == [["broken", 32], ["free-under-lock", 32]] and
		(.variants[] | select(.name == "free-under-lock") | .hangs_on == "zq-crowd" and .confidence > 0.999)' <<<"$out"
	cp "$work/out" first
	"$klinic" list --format json | jq -e '.[0].certified'
	run_split "$klinic" certify swap --format json --jobs 1
	cmp first "$work/out"
	run_split "$klinic" certify swap --variant noop --format json
	expect_status 0
	jq -e '.certified == false and (.variants | map(.name)) == ["noop"]' <<<"$out"
}

@test "certify: a decoy that nothing catches, and one that does not build" {
	use_users_cache
	hidden=$KLINIC_ROOT/exercises/swap/hidden
	cp "$hidden/reference.patch" "$hidden/decoys/free-under-lock.patch"
	run_split "$klinic" certify swap --variant free-under-lock --format json
	expect_status 1
	jq -e '.variants[0] | .verdict == "pass" and (.objection | length > 0)' <<<"$out"
	sed -i 's/^+\tmutex_lock.*/+\tmutex_lock(\&readers);/' "$hidden/decoys/free-under-lock.patch"
	run_split "$klinic" certify swap --variant free-under-lock --format json
	expect_status 1
	jq -e '.variants[0] | .verdict == "fail" and (.objection | contains("not build"))' <<<"$out"
	run_split "$klinic" list --format json
	jq -e '.[0].certified == false' <<<"$out"
}
