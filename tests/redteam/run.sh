#!/usr/bin/env bash
# The red team: every submission here cheats, and none may pass, be infra, or harm the host.
#
# NAME.patch is a diff, NAME.sh makes a submission at the path it is given. Both begin with
#   Tries:    what it is after
#   Exercise: whose handout it is a change of
#   Check:    the one check that it would fool (none: the policy or the build ends it before)
#   Seed:     the run of that check in which the unmended code fails
#   Expected: usage     status 2, nothing was judged
#             intake    status 3, refused with reasons
#             policy    status 1, refused before anything ran
#             build     status 1, did not compile
#             check     status 1, the check fails
#             not-pass  status 1 or 5, the check fails or is inconclusive
#   Says:     a word that the refusal, the compiler or the check's detail must hold
# @addr:SYMBOL@ stands for an address of the kernel that it is judged on, which is no secret:
# kernels are built from public sources, and equal builds are equal. @mail:EXPRESSION@ and
# @mailstr:NAME@ are C over runner/guest/mailbox.h and kit.h.
# usage: run.sh [FILE …]; ends with "N passed, N failed".
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
klinic=${KLINIC:-$top/build/klinic}
limit=${KLINIC_TEST_SECONDS:-3600} # far outside what a cheat takes: a net, not a measure
jobs=$(nproc)
cache=${XDG_CACHE_HOME:-$HOME/.cache}
work=$(mktemp -d) || exit 4
trap leave EXIT
trap 'exit 130' INT TERM
export LC_ALL=C.UTF-8

# What runs in the background does not hear Ctrl-C, and timeout's group none of ours: each is told.
end_children() {
	local pids
	mapfile -t pids < <(jobs -rp)
	[ "${#pids[@]}" -eq 0 ] || kill "${pids[@]}" 2>/dev/null
	wait
}

# shellcheck disable=SC2317 # called by the trap
leave() {
	trap '' INT TERM # what is begun here is short, and has to be finished
	end_children
	chmod -R u+w "$work" 2>/dev/null
	rm -rf "$work"
}

# A trap waits for what is in the foreground, so that what may take long is not.
tended() { # COMMAND …
	"$@" &
	wait "$!"
}

header() { # FILE KEY
	LC_ALL=C sed -nE "1,20s/^(# )?$2: +//p" "$1" | head -n 1
}

# A sed script for what stands in @…@.
write_tokens() {
	local vmlinux digest
	digest=$("$klinic" kernel list --format json | jq -r '[.[] | select(.ready and .current)][0].digest') || return 1
	vmlinux=$cache/klinic/kernels/$digest/vmlinux
	[ -r "$vmlinux" ] || { echo "there is no kernel: klinic kernel build kasan" >&2; return 1; }
	cat "$@" | LC_ALL=C grep -aoE '@addr:[A-Za-z0-9_]+@' | LC_ALL=C sort -u | tr -d @ | cut -d: -f2 >"$work/symbols"
	cat "$@" | LC_ALL=C grep -aoE '@mail:[^@]+@' | LC_ALL=C sort -u | tr -d @ | cut -d: -f2 >"$work/values"
	cat "$@" | LC_ALL=C grep -aoE '@mailstr:[^@]+@' | LC_ALL=C sort -u | tr -d @ | cut -d: -f2 >"$work/strings"
	nm "$vmlinux" | awk 'NR == FNR { want[$1]; next } $3 in want && !seen[$3]++ { print "s|@addr:" $3 "@|" $1 "|g" }' \
		"$work/symbols" - >"$work/tokens.sed"
	[ "$(wc -l <"$work/tokens.sed")" -eq "$(wc -l <"$work/symbols")" ] || {
		echo "the kernel has not every symbol that the cheats name" >&2
		return 1
	}
	{
		echo '#include <stddef.h>'
		echo '#include <stdio.h>'
		echo '#include "guest/mailbox.h"'
		echo '#include "guest/kit.h"'
		echo 'int main(void)'
		echo '{'
		sed 's/.*/printf("s|%s|%llu|g\\n", "@mail:&@", (unsigned long long)(&));/' "$work/values"
		sed 's/.*/printf("s|%s|%s|g\\n", "@mailstr:&@", &);/' "$work/strings"
		echo '}'
	} >"$work/tokens.c"
	gcc -I"$top/runner" -o "$work/tokens" "$work/tokens.c" && "$work/tokens" | sed 's/[*]/\\*/g' >>"$work/tokens.sed"
}

# What a cheat must not have touched: content, a home with a secret in it, and what lies beside.
look() {
	sha256sum "$work/home/canary"
	(cd "$top" && find exercises -type f -path '*/hidden/*' -exec sha256sum {} + | sort | sha256sum)
}

complain() { # FILE TEXT
	echo "--- redteam: ${1#"$here"/}: $2"
	return 1
}

judge() { # FILE STATUS JSON STDERR
	local expected says verdict
	expected=$(header "$1" Expected)
	says=$(header "$1" Says)
	if [ "$2" -eq 124 ] || [ "$2" -eq 137 ]; then complain "$1" "no answer after $limit s"; return; fi
	verdict=$(jq -r .verdict "$3" 2>/dev/null)
	if [ "$2" -eq 0 ] || [ "$verdict" = pass ]; then complain "$1" "PASSES"; return; fi
	if [ "$2" -eq 4 ] || [ "$verdict" = infra ]; then complain "$1" "is infra: $(cat "$4")"; return; fi
	case $expected:$2 in
	usage:2) [ -s "$4" ] && [ ! -s "$3" ] ;;
	intake:3) jq -e '.refused | length > 0' "$3" ;;
	policy:1) jq -e --arg w "$says" '[.policy[] | select(.refused)] | any(.[]; (.rule + " " + .name + " " + .text) | contains($w))' "$3" ;;
	build:1) jq -e --arg w "$says" '[.builds[] | select(.ok | not)] | any(.[]; .log | contains($w))' "$3" ;;
	check:1) jq -e --arg w "$says" 'any(.checks[]; .verdict == "fail" and (.detail | contains($w)))' "$3" ;;
	not-pass:1 | not-pass:5) jq -e '.checks | length > 0' "$3" ;;
	*) false ;;
	esac >/dev/null 2>&1 && return
	complain "$1" "expected $expected, status $2: $(head -c 400 "$4") $(jq -c '[.verdict, .refused,
		(.policy | map(select(.refused) | .text)), (.builds | map(select(.ok | not) | .log[:300])),
		(.checks | map([.id, .verdict, .detail[:300]]))]' "$3" 2>/dev/null)"
}

attack() { # FILE NUMBER
	local d=$work/$2 begun=$SECONDS status=0 check seed args=()
	mkdir -p "$d/tmp"
	case $1 in
	*.sh) tended bash "$1" "$d/submission" "$top" >"$d/made" 2>&1 || { complain "$1" "was not made: $(cat "$d/made")"; return; } ;;
	*) LC_ALL=C sed -f "$work/tokens.sed" "$1" >"$d/submission" ;;
	esac
	check=$(header "$1" Check)
	seed=$(header "$1" Seed)
	[ -z "$check" ] || args+=(--check "$check")
	[ -z "$seed" ] || args+=(--seed "$seed")
	tended env HOME="$work/home" XDG_CACHE_HOME="$cache" TMPDIR="$d/tmp" timeout -k 10 "$limit" \
		"$klinic" grade "$(header "$1" Exercise)" --submission "$d/submission" ${args[@]+"${args[@]}"} \
		--format json >"$d/result.json" 2>"$d/stderr" </dev/null || status=$?
	judge "$1" "$status" "$d/result.json" "$d/stderr" || return
	[ -z "$(ls -A "$d/tmp")" ] || { complain "$1" "left in TMPDIR: $(ls -A "$d/tmp")"; return; }
	echo "ok  redteam/${1#"$here"/}: $(header "$1" Expected), $((SECONDS - begun)) s"
	chmod -R u+w "$d"
	rm -rf "$d"
}

worker() { # every jobs-th file, from this one on
	local i
	trap 'trap "" TERM; end_children; exit 130' TERM
	for ((i = $1; i < ${#files[@]}; i += jobs)); do
		if attack "${files[i]}" "$i"; then echo p >>"$work/tally"; else echo f >>"$work/tally"; fi
	done
}

if [ $# -gt 0 ]; then
	files=("$@")
else
	mapfile -t files < <(find "$here" -mindepth 2 \( -name '*.patch' -o -name '*.sh' \) | sort)
fi
[ "${#files[@]}" -gt 0 ] || { echo "--- redteam: there is nothing to run"; exit 1; }
for i in "${!files[@]}"; do files[i]=$(realpath "${files[i]}"); done
mkdir "$work/home"
echo "a secret of the host" >"$work/home/canary"
write_tokens "${files[@]}" || exit 4
look >"$work/before"
: >"$work/tally"
for ((w = 0; w < jobs; w++)); do
	worker "$w" &
done
wait
passed=$(grep -c p "$work/tally")
failed=$(grep -c f "$work/tally")
look >"$work/after"
if ! diff "$work/before" "$work/after"; then
	echo "--- redteam: a file of the host was touched"
	failed=$((failed + 1))
fi
# Guests die with their klinic; ours had their TMPDIR below $work.
for p in /proc/[0-9]*; do
	if { tr '\0' '\n' <"$p/environ"; } 2>/dev/null | grep -qxF "HOME=$work/home"; then
		echo "--- redteam: left running: $({ tr '\0' ' ' <"$p/cmdline"; } 2>/dev/null)"
		failed=$((failed + 1))
	fi
done
[ -z "${KLINIC_TEST_TALLY:-}" ] || echo "$passed $failed" >>"$KLINIC_TEST_TALLY"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
