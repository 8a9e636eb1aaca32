#!/bin/sh
# Prints docs/command.md, made of what the command itself says. usage: command-doc.sh KLINIC
set -eu
klinic=$1
cat <<'HEAD'
# The command

Written by `tests/cli/command-doc.sh build/klinic > docs/command.md`; a test holds it against `--help`.
What is behind a verb: [architecture.md](architecture.md). When a verb fails, standard output stays empty
and standard error has one sentence. Only `grade` still prints a document (`--format json|html|junit`),
with the verdict infra, when the machine fails after the submission was taken in.

```
HEAD
"$klinic" --help
echo '```'
for v in $("$klinic" --help | sed -n '/^verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
	printf '\n## %s\n\n```\n' "$v"
	"$klinic" "$v" --help
	echo '```'
done
