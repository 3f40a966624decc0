package task

import (
	"fmt"
	"strings"
)

// SizeError says that something does not have the size that it must have.
type SizeError struct {
	What         string // "picture", "mask", "observation", "kernel"
	W, H         int    // its size (H is 0 for a list of W values)
	WantW, WantH int    // the size that it must have; 0 if any size of at least 1×1 would do
}

func (e *SizeError) Error() string {
	if e.WantW == 0 && e.WantH == 0 {
		return fmt.Sprintf("%s of %d×%d pixels: width and height must be at least 1", e.What, e.W, e.H)
	}
	if e.H == 0 {
		return fmt.Sprintf("%s holds %d values; %d×%d needed", e.What, e.W, e.WantW, e.WantH)
	}
	return fmt.Sprintf("%s is %d×%d; %d×%d needed", e.What, e.W, e.H, e.WantW, e.WantH)
}

// MissingError says that a task's operator lacks a parameter.
type MissingError struct {
	Task string // its name
	What string // "mask" or "motion kernel"
}

func (e *MissingError) Error() string { return fmt.Sprintf("task %s needs a %s", e.Task, e.What) }

// UnknownTaskError says that there is no task of this name.
type UnknownTaskError struct{ Name string }

func (e *UnknownTaskError) Error() string {
	text := fmt.Sprintf("unknown task %q; the tasks are %s", e.Name, strings.Join(Names(), ", "))
	for _, d := range descriptors {
		for _, a := range d.Aliases {
			text += fmt.Sprintf("; %s is another name of %s", a, d.Name)
		}
	}
	return text
}
