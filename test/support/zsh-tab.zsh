# What an interactive zsh makes of lines when TAB is pressed at their ends, one a line of standard output. Arguments: the
# completion script, a path for a pipe, the lines.
zmodload zsh/zpty
# Open for both: a reader that opens it anew could meet the end of the last writer.
mkfifo $2
exec 3<>$2
zpty shell 'zsh -f -i'
zpty -w shell "tab-and-tell() { zle complete-word; print -r -- \"<\$BUFFER>\" >${(q)2}; zle kill-whole-line }"
zpty -w shell "autoload -Uz compinit; compinit -u -D; source ${(q)1}; zle -N tab-and-tell; bindkey '^I' tab-and-tell"
zpty -w shell "print ready >${(q)2}"
read -r -u 3 ready
for line in "${@:3}"; do
  zpty -w -n shell "$line"$'\t'
  read -r -u 3 completed
  print -r -- "$completed"
done
zpty -d shell
