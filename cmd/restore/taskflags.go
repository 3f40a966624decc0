package main

import (
	"strings"

	"github.com/vfmrestore/restore/restore/task"
)

// givenOption is an option of a task and whether the command line has it.
type givenOption struct {
	option task.Option
	given  bool
}

// checkTaskOptions refuses options that the task does not take.
func checkTaskOptions(t task.Task, options []givenOption) error {
	for _, o := range options {
		if o.given && !t.Takes(o.option) {
			return usagef("-%s has no meaning for task %v, only for %s", o.option, t, listOf(task.Takers(o.option), "and"))
		}
	}
	return nil
}

// listOf is a list in words: "a, b and c".
func listOf(words []string, and string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " " + and + " " + words[last]
}

// taskOptions lists the options of `restore` itself that not all tasks take.
func (o *options) taskOptions() []givenOption {
	return []givenOption{
		{task.OptionMask, o.mask != ""},
		{task.OptionProject, o.project},
		{task.OptionExpected, o.expected},
		{task.OptionStrength, o.strength != strength{1, 1}},
		{task.OptionBlur, o.blur != nil},
		{task.OptionKernel, o.kernelFile != ""},
		{task.OptionKernelOut, o.kernelOut.path != ""},
	}
}

// taskHelp lists the tasks for the help text.
func taskHelp() string {
	var b strings.Builder
	for _, name := range task.Names() {
		t, err := task.Parse(name)
		if err != nil {
			continue
		}
		d := t.Descriptor()
		b.WriteString("  " + name + strings.Repeat(" ", 18-len(name)) + d.Help)
		if len(d.Aliases) > 0 {
			b.WriteString(" (also: " + strings.Join(d.Aliases, ", ") + ")")
		}
		b.WriteString("\n")
	}
	return b.String()
}
