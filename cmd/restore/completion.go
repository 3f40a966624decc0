package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/vfmrestore/restore/restore/task"
)

const completionHelp = `restore completion prints a script that completes commands, flags, tasks and file names in a shell.

usage: restore completion bash|zsh|fish

  bash: restore completion bash > /etc/bash_completion.d/restore
  zsh:  restore completion zsh > "${fpath[1]}/_restore"
  fish: restore completion fish > ~/.config/fish/completions/restore.fish
`

const manHelp = `restore man prints the manual page.

usage: restore man > /usr/share/man/man1/restore.1
`

// errCollected ends a command whose flags were collected.
var errCollected = errors.New("flags collected")

// flagsOf returns the flags that a command defines, or those of restore itself for nil.
func flagsOf(c *command) (list []*flag.Flag) {
	a := &app{out: io.Discard, err: io.Discard, collect: func(fs *flag.FlagSet) {
		fs.VisitAll(func(f *flag.Flag) { list = append(list, f) })
	}}
	if c == nil {
		_, _ = a.parseOptions(nil)
	} else {
		_ = c.run(a, nil)
	}
	return list
}

// takesValue tells whether a value follows the flag; it does not follow a switch.
func takesValue(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return !ok || !b.IsBoolFlag()
}

func flagNames(fs []*flag.Flag) string {
	var s []string
	for _, f := range fs {
		s = append(s, "-"+f.Name)
	}
	return strings.Join(s, " ")
}

func (a *app) completion(args []string) error {
	rest, err := a.parse(flagSet("completion"), args, completionHelp)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return usagef("completion needs the name of a shell: bash, zsh or fish")
	}
	switch rest[0] {
	case "bash":
		fmt.Fprint(a.out, bashCompletion())
	case "zsh":
		fmt.Fprint(a.out, "#compdef restore\nautoload -U +X bashcompinit && bashcompinit\n"+bashCompletion())
	case "fish":
		fmt.Fprint(a.out, fishCompletion())
	default:
		return usagef("there is no completion for %q, only for bash, zsh and fish", rest[0])
	}
	return nil
}

func bashCompletion() string {
	var b strings.Builder
	var words []string
	fmt.Fprint(&b, "_restore() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} flags words=\n\tcase ${COMP_WORDS[1]} in\n")
	for _, c := range commands() {
		words = append(words, c.name)
		fmt.Fprintf(&b, "\t%s) flags=%q ;;\n", c.name, flagNames(flagsOf(&c)))
	}
	fmt.Fprintf(&b, "\t*) flags=%q; [ $COMP_CWORD = 1 ] && words=%q ;;\n\tesac\n", flagNames(flagsOf(nil)), strings.Join(words, " "))
	fmt.Fprintf(&b, "\tcase $prev in -task) COMPREPLY=($(compgen -W %q -- \"$cur\")); return ;; esac\n", strings.Join(task.Names(), " "))
	fmt.Fprint(&b, "\tcase $cur in\n\t-*) COMPREPLY=($(compgen -W \"$flags\" -- \"$cur\")) ;;\n\t*) COMPREPLY=($(compgen -W \"$words\" -- \"$cur\") $(compgen -f -- \"$cur\")) ;;\n\tesac\n}\ncomplete -o filenames -F _restore restore\n")
	return b.String()
}

func fishCompletion() string {
	var b strings.Builder
	line := func(condition string, f *flag.Flag) {
		fmt.Fprintf(&b, "complete -c restore -n %q -o %s", condition, f.Name)
		switch {
		case f.Name == "task":
			fmt.Fprintf(&b, " -x -a %q", strings.Join(task.Names(), " "))
		case takesValue(f):
			fmt.Fprint(&b, " -r")
		}
		fmt.Fprintln(&b)
	}
	var words []string
	for _, c := range commands() {
		words = append(words, c.name)
		fmt.Fprintf(&b, "complete -c restore -n __fish_use_subcommand -a %s -d %q\n", c.name, c.summary)
		for _, f := range flagsOf(&c) {
			line("__fish_seen_subcommand_from "+c.name, f)
		}
	}
	for _, f := range flagsOf(nil) {
		line("not __fish_seen_subcommand_from "+strings.Join(words, " "), f)
	}
	return b.String()
}

func (a *app) man(args []string) error {
	rest, err := a.parse(flagSet("man"), args, manHelp)
	if err != nil {
		return err
	}
	if err := refuseNames(rest); err != nil {
		return err
	}
	fmt.Fprint(a.out, manual())
	return nil
}

// manual returns the help texts as a manual page.
func manual() string {
	var b strings.Builder
	block := func(text string) {
		fmt.Fprintln(&b, ".nf")
		for line := range strings.Lines(strings.TrimSpace(text) + "\n") {
			line = strings.ReplaceAll(strings.ReplaceAll(line, `\`, `\e`), "-", `\-`)
			if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
				line = `\&` + line
			}
			b.WriteString(line)
		}
		fmt.Fprintln(&b, ".fi")
	}
	fmt.Fprintf(&b, ".TH RESTORE 1 \"\" \"restore\"\n.SH NAME\nrestore \\- repair photographs in one network step\n.SH DESCRIPTION\n")
	block(mainHelp())
	list := commands()
	sort.Slice(list, func(i, k int) bool { return list[i].name < list[k].name })
	for _, c := range list {
		if c.name == "help" {
			continue
		}
		fmt.Fprintf(&b, ".SH RESTORE %s\n", strings.ToUpper(c.name))
		block(c.help())
	}
	return b.String()
}
