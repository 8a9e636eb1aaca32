#!/usr/bin/env bash
# What the pages name exists: relative links and their anchors, paths of this repository, verbs and
# options of the command, make targets. And every verb stands in the table of docs/architecture.md.
set -u
cd "$(dirname "$0")/../.."
pages=(README.md docs/*.md)
bad=0
complain() { echo "$1"; bad=1; }

# Prose and code spans, without fenced blocks; line numbers stay.
prose() { awk '/^```/ { fenced = !fenced; print ""; next } { print fenced ? "" : $0 }' "$1"; }
# What a reader may type: code spans, and indented lines that begin with a command of ours. "LINE:text"
commands() {
	prose "$1" | grep -noE '`[^`]+`|^    +(build/)?(klinic|make) .*' |
		sed -E 's/^([0-9]+):[ `]*/\1:/; s/`$//; s/ +#.*//'
}
anchors() { # as GitHub makes them of headings
	prose "$1" | sed -nE 's/^#+ +//p' | tr '[:upper:]' '[:lower:]' |
		sed -E 's/[^a-z0-9 _-]//g; s/ /-/g'
}

links() {
	local page=$1 line link file anchor target
	while IFS=: read -r line link; do
		link=${link#\](}
		link=${link%)}
		case $link in *://* | mailto:*) continue ;; esac
		file=${link%%#*}
		anchor=
		[[ $link == *#* ]] && anchor=${link#*#}
		target=$page
		[ -z "$file" ] || target=$(dirname "$page")/$file
		if [ ! -e "$target" ]; then
			complain "$page:$line: link to $link: there is no $target"
		elif [ -n "$anchor" ] && ! anchors "$target" | grep -qxF -- "$anchor"; then
			complain "$page:$line: link to $link: $target has no such heading"
		fi
	done < <(prose "$page" | grep -noE '\]\([^)]+\)')
}

# Spans that begin like a path of ours; capitals, <…> and … stand for a name of the reader's.
paths() {
	local page=$1 line path
	while IFS=: read -r line path; do
		path=${path//\`/}
		case $path in *[A-Z]*.* | *NAME* | *ID* | *'<'* | *…* | *' '*) continue ;; esac
		case $path in include/ | runner/ | hidden/* | handout/*) [ "$path" = runner/ ] || continue ;; esac
		[ -e "$path" ] || complain "$page:$line: there is no $path"
	done < <(prose "$page" |
		grep -noE '`(runner|graders|include|tests|docs|exercises|rubrics|broken-kernels)/[^`]*`')
}

verbs=$(sed -nE 's/.*\.name = "([a-z-]+)".*/\1/p' runner/cli/main.c)
options=help$'\n'$(grep -oE '"[a-z-]+", *(0|'"'.'"'),' runner/cli/main.c | grep -oE '[a-z-]{2,}')
known() { grep -qxF -- "$1" <<<"$2"; }

words() {
	local page=$1 line text word
	while IFS=: read -r line text; do
		text=${text#build/}
		case $text in
		'klinic '[a-z]*)
			word=${text#klinic }
			word=${word%% *}
			known "$word" "$verbs" || complain "$page:$line: klinic has no verb $word"
			;;
		'make '[a-z]*)
			for word in ${text#make }; do
				[[ $word == *=* ]] || grep -qE "^$word:" Makefile ||
					complain "$page:$line: there is no make target $word"
			done
			;;
		esac
		case $text in 'klinic '* | --[a-z]*) ;; *) continue ;; esac
		for word in $text; do
			[[ $word == --[a-z]* ]] || continue
			word=${word#--}
			known "${word%%=*}" "$options" || complain "$page:$line: no verb has an option --$word"
		done
	done < <(commands "$page")
}

for page in "${pages[@]}"; do
	links "$page"
	paths "$page"
	words "$page"
done
for verb in $verbs; do
	grep -qE '^\|.*`klinic '"$verb"'`' docs/architecture.md ||
		complain "docs/architecture.md: the table of verbs lacks $verb"
done
[ "$bad" = 0 ] && echo "docs: ${#pages[@]} pages, what they name exists"
exit "$bad"
