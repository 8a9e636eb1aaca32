#!/usr/bin/env bats
# The command line: verbs, options, help, and what is said when they are wrong.
load common

verbs() {
	"$klinic" --help | sed -n '/^verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

@test "help lists every verb of the contract that is built" {
	for v in doctor list show start run check grade certify report kernel splat bench version; do
		verbs | grep -qx "$v"
	done
}

@test "every verb has help, with usage first and exit 0" {
	for v in $(verbs); do
		run_split "$klinic" "$v" --help
		expect_status 0
		[ "$(head -n 1 <<<"$out" | cut -d' ' -f1-3)" = "usage: klinic $v" ]
		[ -z "$err" ]
		run_split "$klinic" help "$v"
		expect_status 0
	done
}

@test "help fits into 80 columns" {
	for v in $(verbs); do
		[ "$("$klinic" "$v" --help | wc -L)" -le 80 ]
	done
}

@test "docs/command.md says what --help says" {
	"$here/command-doc.sh" "$klinic" | diff -u "$top/docs/command.md" -
}

@test "without a verb: exit 2 and where to look" {
	run_split "$klinic"
	expect_complaint 2 "--help"
}

@test "an unknown verb: exit 2 and the nearest one" {
	run_split "$klinic" grad
	expect_complaint 2 "“grade”"
	run_split "$klinic" certfy
	expect_complaint 2 "“certify”"
	run_split "$klinic" xyzzyx
	expect_complaint 2 "--help"
}

@test "an unknown option: exit 2 and the nearest one" {
	run_split "$klinic" grade swap --submision x
	expect_complaint 2 "--submission"
	run_split "$klinic" list --xyzzyx
	expect_complaint 2 "klinic list --help"
	run_split "$klinic" list -x
	expect_complaint 2 "-x"
}

@test "an option without its value, a flag with one" {
	run_split "$klinic" list --format
	expect_complaint 2 "--format needs a value"
	run_split "$klinic" kernel prune --all=yes
	expect_complaint 2 "takes no value"
}

@test "a value that is none of those allowed" {
	run_split "$klinic" list --format yaml
	expect_complaint 2 "text, json"
	for n in 0 -1 1x "" 1025 99999999999999999999; do
		run_split "$klinic" grade swap --submission . "--seeds=$n"
		expect_complaint 2 "no whole number"
	done
}

@test "too few and too many arguments" {
	run_split "$klinic" show
	expect_complaint 2 "klinic show ID"
	run_split "$klinic" show a b
	expect_complaint 2 "“b”"
	run_split "$klinic" list a b c d e f g h i j k
	expect_status 2
}

@test "options may stand before, between and after arguments" {
	a=$("$klinic" show --format json swap)
	b=$("$klinic" show swap --format json)
	c=$("$klinic" show swap --format=json)
	d=$("$klinic" show --format json -- swap)
	[ "$a" = "$b" ] && [ "$a" = "$c" ] && [ "$a" = "$d" ]
}

@test "grade says what it lacks before it looks for anything" {
	run_split "$klinic" grade swap
	expect_complaint 2 "--submission"
	run_split "$klinic" grade swap --submission . --seed 1 --seeds 2
	expect_complaint 2 "exclude"
	run_split "$klinic" grade swap --submission . --check none
	expect_complaint 2 "zq-crowd"
	run_split "$klinic" grade swap --submission . --log --format json
	expect_complaint 2 "--log"
}

@test "an output that cannot be written is told before the work" {
	run_split "$klinic" grade swap --submission . --output "$work/none/result.json"
	expect_complaint 2 "there is no folder"
	run_split "$klinic" report "$golden/graders/broken.result.json" --output "$work"
	expect_complaint 2 "no name of a file"
}

@test "version is one line and what results name" {
	run_split "$klinic" version
	expect_status 0
	[[ $out =~ ^klinic\ [0-9]+\.[0-9]+\.[0-9]+(-[0-9a-f]{12}\+?)?$ ]]
	[ "$("$klinic" --version)" = "$out" ]
}

@test "in a locale without UTF-8 help and complaints are ASCII" {
	LC_ALL=C run_split "$klinic" --help
	LC_ALL=C refute grep -q '[^ -~]' "$work/out"
	LC_ALL=C run_split "$klinic" grad
	LC_ALL=C refute grep -q '[^ -~]' "$work/err"
	expect_complaint 2 'did you mean "grade"?'
}

@test "what a complaint quotes cannot steer the terminal" {
	run_split "$klinic" $'gr\033[31made'
	expect_complaint 2 '\x1b[31m'
}
