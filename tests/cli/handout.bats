#!/usr/bin/env bats
# The candidate's half as an archive: equal bytes, all that a desk needs, nothing of hidden/.
load common

@test "an archive holds what start makes" {
	"$klinic" start swap here
	run_split "$klinic" handout swap
	expect_status 0
	mkdir there
	tar xzf swap.tar.gz -C there
	diff -r here there/swap
	[ -z "$(git -C there/swap status --porcelain)" ]
	[ "$(git -C there/swap rev-list --all --count)" -eq 1 ]
	[ "$(git -C there/swap rev-parse HEAD handout)" = "$(git -C here rev-parse HEAD handout)" ]
	KLINIC_SOURCE=/nonexistent run_split "$klinic" check there/swap
	expect_complaint 4 "/nonexistent"
}

@test "the same exercise gives the same bytes" {
	long=$(printf 'n%.0s' {1..200})
	echo odd | tee "$KLINIC_ROOT/exercises/swap/handout/naïve file.txt" \
		"$KLINIC_ROOT/exercises/swap/handout/$long.txt" >/dev/null
	"$klinic" handout swap -o a.tar.gz
	"$klinic" handout swap -o a.tar
	tar tf a.tar --quoting-style=literal | grep -Fx "swap/naïve file.txt"
	tar tf a.tar | grep -Fx "swap/$long.txt"
	touch -d 2001-01-01 "$KLINIC_ROOT/exercises/swap/handout/swap.c"
	echo more >>"$KLINIC_ROOT/exercises/swap/hidden/notes.md"
	(
		umask 077
		mkdir "$work/other"
		export TMPDIR=$work/other HOME=$work TZ=Asia/Tokyo LC_ALL=C GIT_AUTHOR_NAME=somebody
		git config --global user.name somebody
		"$klinic" handout swap -o b.tar.gz
		"$klinic" handout swap -o b.tar
	)
	cmp a.tar.gz b.tar.gz
	cmp a.tar b.tar
	gunzip <a.tar.gz | cmp - a.tar
	run_split "$klinic" handout swap -o -
	cmp a.tar.gz "$work/out"
	# Nothing of who made it, when and where; sorted, each folder before what is in it.
	tar tvzf a.tar.gz --full-time --numeric-owner |
		awk '$2 != "0/0" || $5 != "00:00:00" || $1 !~ /^(drwxr-xr-x|-rw-r--r--)$/ { print; bad = 1 } END { exit bad }'
	refute grep -aqF "$work" a.tar
	tar tf a.tar | sed 's,/*$,,' | tr / '\001' >names
	LC_ALL=C sort -c names
}

@test "names that are no archive's, and places that are none" {
	run_split "$klinic" handout swap -o swap.zip
	expect_complaint 2 ".tar.gz"
	run_split "$klinic" handout swap -o none/swap.tar
	expect_complaint 2 "none"
	run_split "$klinic" handout none
	expect_complaint 2 "none"
	ln -s /etc/passwd "$KLINIC_ROOT/exercises/swap/handout/zz-link"
	run_split "$klinic" handout swap
	expect_complaint 3 "zz-link"
	[ ! -e swap.tar.gz ] && [ -z "$(ls -A "$TMPDIR")" ]
}

# What the hidden half of exercise $1 has and its public half has not: names of files, ids of hidden
# checks, and lines long enough to be nobody else's. One a line.
secrets_of() {
	local dir=$1 public=$work/public
	rm -rf "$public"
	mkdir "$public"
	cp -r "$dir/handout" "$dir/brief.md" "$public/"
	sed '/^  hidden:/,/^[a-z]/d; /^hints:/,/^[a-z]/d' "$dir/exercise.yaml" >"$public/exercise.yaml"
	{
		find "$dir/hidden" -type f -printf '%f\n' | sed 's/\.[a-z]*$//'
		find "$dir/hidden" -type f -printf 'hidden/%P\n'
		sed -n '/^  hidden:/,/^[a-z]/s/^ *- id: *//p' "$dir/exercise.yaml"
		sed -n '/^  hidden:/,/^[a-z]/s/^ *\(title\|program\): *//p' "$dir/exercise.yaml"
		sed -n '/^hints:/,$s/^ *- text: *//p' "$dir/exercise.yaml"
		find "$dir/hidden" -type f -exec cat {} + | sed 's/^[-+ \t]*//; s/[ \t]*$//' |
			awk 'length >= 16'
	} | sort -u | while read -r s; do
		[ "${#s}" -lt 4 ] || grep -rqaF -- "$s" "$public" || printf '%s\n' "$s"
	done
}

# Everything of an unpacked archive as text: names, contents, and each git object in plain.
plain_text() {
	(cd "$1" && find . -print && find . -type f -exec cat {} + &&
		git cat-file --batch-all-objects --batch)
}

@test "no archive has anything of its exercise's hidden half" {
	cp -r "$top"/exercises/* "$KLINIC_ROOT/exercises/"
	for dir in "$KLINIC_ROOT"/exercises/*; do
		id=$(basename "$dir")
		secrets_of "$dir" >secrets
		[ "$(wc -l <secrets)" -ge 10 ]
		"$klinic" handout "$id" -o "$id.tar"
		mkdir "un-$id"
		tar xf "$id.tar" -C "un-$id"
		plain_text "un-$id/$id" >text
		cat "$id.tar" >>text
		if grep -aoFf secrets text | sort | uniq -c >found; [ -s found ]; then
			echo "in the handout of $id:"
			cat found
			return 1
		fi
		# Neither digest by which hidden/ could be recognised or guessed.
		refute grep -aqF "$(cd "$dir" && cat hidden/reference.patch | sha256sum | cut -d' ' -f1)" text
	done
}

@test "this search finds what is hidden in a git object, a file and a name" {
	"$klinic" start swap
	secrets_of "$KLINIC_ROOT/exercises/swap" >secrets
	plain_text swap >text
	refute grep -aqFf secrets text
	git -C swap hash-object -w "$KLINIC_ROOT/exercises/swap/hidden/decoys/free-under-lock.patch"
	cp "$KLINIC_ROOT/exercises/swap/hidden/checks/crowd.c" swap/x.c
	plain_text swap | grep -aoFf secrets >found
	grep -q 'the crowd came through' found
	rm swap/x.c
	touch swap/free-under-lock.patch
	plain_text swap | grep -aqFf secrets
}
