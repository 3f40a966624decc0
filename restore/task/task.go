package task

import (
	"fmt"
	"slices"
	"strings"
)

// Task names an inverse problem. The first six values are the class indices c of the paper (B.2.4)
// and of the networks.
type Task int

const (
	Denoise        Task = iota // x plus noise
	InpaintRandom              // single pixels are missing
	InpaintBox                 // a rectangle is missing
	SuperResolve               // four times too small
	GaussianDeblur             // a blur that is the same in all directions; in the paper a Gaussian of standard deviation 3
	MotionDeblur               // camera shake
	Inpaint                    // pixels are missing as a mask says; Resolve turns it into InpaintRandom or InpaintBox
)

// descriptors lists all tasks. A new task gets a constant above and its place here.
var descriptors = [...]*Descriptor{
	Denoise:        &denoise,
	InpaintRandom:  &inpaintRandom,
	InpaintBox:     &inpaintBox,
	SuperResolve:   &superResolve,
	GaussianDeblur: &gaussianDeblur,
	MotionDeblur:   &motionDeblur,
	Inpaint:        &inpaint,
}

// Classes is the number of classes that the networks are conditioned on: Denoise … MotionDeblur.
const Classes = 6

// Factor is the ratio of the sides of a picture and of its super-resolution observation.
const Factor = 4

// unknown describes what is no task.
var unknown = Descriptor{Class: -1, Scale: 1}

// All returns the tasks that have a class of their own, in the order of the class index.
func All() []Task {
	list := make([]Task, Classes)
	for i := range list {
		list[i] = Task(i)
	}
	return list
}

// Names returns the names of all tasks, without aliases.
func Names() []string {
	var list []string
	for _, d := range descriptors {
		list = append(list, d.Name)
	}
	return list
}

// Takers returns the names of the tasks that take an option.
func Takers(o Option) []string {
	var list []string
	for _, d := range descriptors {
		if d.Takes(o) {
			list = append(list, d.Name)
		}
	}
	return list
}

// Descriptor returns what describes the task. That of a value that is no task has no name, no
// operator, no options, and a scale of 1.
func (t Task) Descriptor() *Descriptor {
	if !t.Valid() {
		return &unknown
	}
	return descriptors[t]
}

// String returns the name of the command line.
func (t Task) String() string {
	if !t.Valid() {
		return fmt.Sprintf("task(%d)", int(t))
	}
	return descriptors[t].Name
}

// Valid tells whether t is one of the constants above.
func (t Task) Valid() bool { return t >= 0 && int(t) < len(descriptors) }

// Class returns the class index c in 0..5 that the networks take. Inpaint has none before Resolve
// has looked at the mask: it returns the class of InpaintRandom. It is -1 for what is no task.
func (t Task) Class() int { return t.Descriptor().Class }

// Masked tells whether the task needs a mask of known pixels.
func (t Task) Masked() bool { return t.Descriptor().masked() }

// Takes tells whether the task takes an option.
func (t Task) Takes(o Option) bool { return t.Descriptor().Takes(o) }

// Scale returns how many times wider and higher the restored picture is than the observation: 4 for
// SuperResolve, else 1.
func (t Task) Scale() int { return t.Descriptor().Scale }

// Parse returns the task of a name or of another name for it ("defocus" for GaussianDeblur). Upper
// case and surrounding blanks are allowed. Anything else is an *UnknownTaskError, whose text lists
// the names.
func Parse(name string) (Task, error) {
	s := strings.ToLower(strings.TrimSpace(name))
	for i, d := range descriptors {
		if s == d.Name || slices.Contains(d.Aliases, s) {
			return Task(i), nil
		}
	}
	return 0, &UnknownTaskError{Name: name}
}

// MarshalText gives the name, so that a Task can be part of JSON and a value of flags.
func (t Task) MarshalText() ([]byte, error) {
	if !t.Valid() {
		return nil, &UnknownTaskError{Name: t.String()}
	}
	return []byte(t.String()), nil
}

// UnmarshalText is Parse.
func (t *Task) UnmarshalText(b []byte) error {
	p, err := Parse(string(b))
	if err == nil {
		*t = p
	}
	return err
}
