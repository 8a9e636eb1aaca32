#!/usr/bin/env bash
# A room may include headers of rooms on lower floors and of its own, nothing else (docs/architecture.md).
set -eu
cd "$(dirname "$0")/../.."
# floor of each room; equal floors may not see each other
declare -A floor=([guest]=0 [base]=0 [data]=1 [proc]=1 [model]=2
	[intake]=3 [policy]=3 [kbuild]=3 [vm]=3 [splat]=3 [probe]=3 [store]=3
	[session]=4 [graders]=4 [report]=4 [panel]=5 [cli]=6)
# room of each public header; what is not listed is an error
declare -A room=([error]=base [cleanup]=base [str]=base [file]=base [deadline]=base [enum]=base
	[interrupt]=base
	[yaml]=data [json]=data [archive]=data [sign]=data [digest]=data [elf]=data [command]=proc [sandbox]=proc
	[finding]=model [verdict]=model [exercise]=model [rubric]=model [submission]=model
	[inspection]=model [evidence]=model [result]=model [receipt]=model [intake]=intake [policy]=policy [kbuild]=kbuild [splat]=splat [vm]=vm [probe]=probe
	[session]=session [grader]=graders [report]=report [check]=guest)
# policy reads what a submission brings, source and module, as intake and kbuild do; it needs neither.
# guest/mailbox.h is what vm and guest agree on; vm.h speaks of kernels as kbuild names them
allowed=" vm:kbuild "
bad=0
complain() { echo "$1"; bad=1; }
look() { # FILE ROOM
	local f=$1 mine=$2 line inc theirs
	while IFS=: read -r line inc; do
		case $inc in
		*'<klinic/'*) inc=${inc#*<klinic/}; inc=${inc%%.h*}; theirs=${room[$inc]:-} ;;
		*'"../'*) complain "$f:$line: include from the root of runner/, not with ../"; continue ;;
		*'"'*/*) inc=${inc#*\"}; theirs=${inc%%/*} ;;
		*'<'*/*)
			# Angle brackets find our rooms as well; a folder that is none of ours is the system's.
			inc=${inc#*<}
			theirs=${inc%%/*}
			[ -n "${floor[$theirs]:-}" ] || [ "$theirs" = runner ] || continue ;;
		*) continue ;;
		esac
		[ -n "$theirs" ] && [ -n "${floor[$theirs]:-}" ] || { complain "$f:$line: $inc belongs to no room"; continue; }
		[ "$theirs" = "$mine" ] && continue
		case $allowed in *" $mine:$theirs "*) continue ;; esac
		[ "${floor[$theirs]}" -lt "${floor[$mine]}" ] && continue
		complain "$f:$line: $mine (floor ${floor[$mine]}) may not include $inc of $theirs (floor ${floor[$theirs]})"
	done < <(grep -nE '^[[:space:]]*#[[:space:]]*include' "$f" | sed 's/#[[:space:]]*include//')
}
n=0
for f in runner/*/*.[ch]; do r=${f#runner/}; look "$f" "${r%%/*}"; n=$((n + 1)); done
for f in graders/*.[ch]; do [ -e "$f" ] && look "$f" graders && n=$((n + 1)); done
for f in include/klinic/*.h; do b=$(basename "$f" .h)
	if [ -z "${room[$b]:-}" ]; then complain "$f: no room owns it; see tests/lint/check-layers.sh"
	else look "$f" "${room[$b]}"; fi; n=$((n + 1)); done
# only cli prints or exits; strings and comments may speak of it
speech='(^|[^a-zA-Z0-9_>.])((v?printf|puts|putchar|perror|exit) *\(|(stdout|stderr)([^a-zA-Z0-9_]|$))'
for f in $(ls runner/*/*.[ch] graders/*.[ch] 2>/dev/null | grep -vE '^runner/(cli|guest)/'); do
	while IFS=: read -r line _; do
		complain "$f:$line: only cli/ prints and exits"
	done < <(sed -E 's/\\"//g; s/"[^"]*"/""/g; s@/\*.*@@; s@//.*@@; /^[[:space:]]*\*/s/.*//' "$f" | grep -nE "$speech")
done
[ "$bad" = 0 ] && echo "layers: $n files, each looks down only"
exit "$bad"
