package main

import (
	"strings"
	"testing"

	"github.com/vfmrestore/restore/restore/task"
)

// Every option of a task is a flag of restore, restore degrade or restore video, and is refused for
// the tasks that do not take it.
func TestTaskOptions(t *testing.T) {
	flags := map[string]bool{}
	add := func(c *command) {
		for _, f := range flagsOf(c) {
			flags[f.Name] = true
		}
	}
	add(nil)
	for _, c := range commands() {
		if c.name == "degrade" || c.name == "video" {
			add(&c)
		}
	}
	for _, name := range task.Names() {
		of, err := task.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range of.Descriptor().Options {
			if !flags[string(o)] {
				t.Errorf("%s takes -%s, which is no flag", name, o)
			}
			if err := checkTaskOptions(of, []givenOption{{o, true}}); err != nil {
				t.Error(err)
			}
			for _, other := range task.All() {
				err := checkTaskOptions(other, []givenOption{{o, true}})
				if (err == nil) != other.Takes(o) || err != nil && !strings.Contains(err.Error(), "only for ") {
					t.Errorf("-%s for %v: %v", o, other, err)
				}
			}
		}
		if !strings.Contains(taskHelp(), "  "+name+" ") || !strings.Contains(taskHelp(), of.Descriptor().Help) {
			t.Errorf("the help does not describe %s", name)
		}
	}
	if got := listOf([]string{"a", "b", "c"}, "and"); got != "a, b and c" {
		t.Errorf("a list in words: %q", got)
	}
}
