#!/usr/bin/env bats
# The worked example of docs/writing-exercises.md is certified, and prints what the page says it prints.
load common

page=$top/docs/writing-exercises.md

# Every block "```LANGUAGE PATH" is a file of the example.
write_example() { # FOLDER
	mkdir -p "$1"
	(cd "$1" && awk '
		/^```$/ && to { close(to); to = ""; next }
		/^```[a-z]+ / { to = $2; dir = to; sub("/?[^/]*$", "", dir)
			if (dir) system("mkdir -p " dir); printf "" > to; next }
		to { print > to }' "$page")
}

printed() { awk '/^What `klinic certify` prints:$/ { near = 1 } near && /^```$/ { if (on) exit; on = 1; next } on' "$page"; }
spaces() { sed -E 's/ +/ /g; s/ $//'; }

@test "the worked example is certified as the page says" {
	if [ -n "${KLINIC_USER_CACHE:-}" ]; then export XDG_CACHE_HOME=$KLINIC_USER_CACHE; else unset XDG_CACHE_HOME; fi
	write_example "$work/memo-note"
	run_split "$klinic" certify "$work/memo-note"
	expect_status 0
	diff -u <(printed | spaces) <(spaces <<<"$out")
}

setup_file() {
	export KLINIC_USER_CACHE=${XDG_CACHE_HOME:-}
}
