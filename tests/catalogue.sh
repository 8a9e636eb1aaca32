#!/usr/bin/env bash
# Prints docs/catalogue.md: the exercises, and what their certificates in the cache say of them.
# `make certify` makes the certificates; an exercise without one is listed without rates.
set -eu
cd "$(dirname "$0")/.."
klinic=${KLINIC:-build/klinic}

cat <<'PAGE'
# Catalogue

The exercises, and how their certificates came out. Written by `make catalogue` from
the certificates of one machine, after `make certify`; `klinic certify ID --kept`
prints one whole. For authors and panels: it names hidden checks and wrong fixes.

A rate is failing seeds ÷ seeds tried. Confidence is that with which the exercise's
own seeds catch a fix of a decoy's kind
([certification](architecture.md#certification)); a dash means that no seed decides.

| exercise | level | minutes | class of fault | certified |
| --- | --- | --- | --- | --- |
PAGE
list=$("$klinic" list --format json)
jq -r '.[] | "| [\(.id)](#\(.id)) | \(.level) | \(.minutes) | \(.bug_class) | \(if .certified then "yes" else "no" end) |"' <<<"$list"

while read -r id; do
	echo
	echo "## $id"
	echo
	jq -r --arg id "$id" '.[] | select(.id == $id) | "\(.title). Subsystem \(.subsystem); for \(.tracks | join(", "))."' <<<"$list"
	echo
	if ! certificate=$("$klinic" certify "$id" --kept 2>/dev/null); then
		echo "Not certified as it is now: no certificate was there when this page was written."
		continue
	fi
	jq -r '
		def ratio: "\(.failures)/\(.runs)";
		def sure: if .hangs_on == null or .confidence == null then "–" else (.confidence * 100000 | floor / 100000 | tostring) end;
		"Exercise `\(.environment.exercise_digest)`, kernel \(.environment.kernel), QEMU",
		"\(.environment.qemu) (\(.environment.accel)), template `\(.environment.template_ram[0:12])`, klinic \(.environment.klinic).",
		"",
		"| check | seeds | needed | control | rates |",
		"| --- | --- | --- | --- | --- |",
		(.checks[] | "| \(.id) | \(.seeds) | \(.seeds_needed // "–") | \(.control // "none") | \([.rates[] | "\(.variant) \(ratio)"] | join(", ")) |"),
		"",
		"| variant | role | verdict | fails | confidence |",
		"| --- | --- | --- | --- | --- |",
		(.variants[] | "| \(.name) | \(.role) | \(.verdict) | \(
			if .verdict == "fail" and (.checks | length) == 0 then "refused by the policy"
			else [.checks[] | select(.verdict == "fail") | "\(.id) \(ratio)"] | join(", ") end) | \(
			if .verdict == "fail" then sure else "" end) |")' <<<"$certificate"
done < <(jq -r '.[].id' <<<"$list")
