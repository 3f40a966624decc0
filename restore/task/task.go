package task

import (
	"fmt"
	"strings"
)

// Task names an inverse problem. The first six values are the class indices c of the paper (B.2.4) and of the networks.
type Task int

const (
	Denoise        Task = iota // x plus noise
	InpaintRandom              // single pixels missing
	InpaintBox                 // a rectangle missing
	SuperResolve               // four times too small
	GaussianDeblur             // a blur that looks the same in all directions; as the paper has it, a Gaussian of standard deviation 3
	MotionDeblur               // camera shake
	Inpaint                    // for people: pixels missing as a mask says; Resolve turns it into InpaintRandom or InpaintBox
)

// Classes is the number of classes that the networks are conditioned on: Denoise … MotionDeblur.
const Classes = 6

// Factor is the factor between the sides of a picture and of its super-resolution observation.
const Factor = 4

var names = [...]string{
	Denoise: "denoise", InpaintRandom: "inpaint-random", InpaintBox: "inpaint-box", SuperResolve: "super-resolve",
	GaussianDeblur: "gaussian-deblur", MotionDeblur: "motion-deblur", Inpaint: "inpaint",
}

// Defocus is another name of GaussianDeblur.
const Defocus = "defocus"

// All returns the six classes in the order of their index.
func All() []Task {
	return []Task{Denoise, InpaintRandom, InpaintBox, SuperResolve, GaussianDeblur, MotionDeblur}
}

// Names returns the tasks' names, without Defocus.
func Names() []string { return append([]string(nil), names[:]...) }

// String returns the CLI name.
func (t Task) String() string {
	if !t.Valid() {
		return fmt.Sprintf("task(%d)", int(t))
	}
	return names[t]
}

// Valid tells whether t is one of the constants above.
func (t Task) Valid() bool { return t >= 0 && int(t) < len(names) }

// Class returns the class index c in 0..5 that the networks take. Inpaint has none before Resolve has looked at the mask: it
// returns the class of InpaintRandom.
func (t Task) Class() int {
	if t == Inpaint {
		return int(InpaintRandom)
	}
	return int(t)
}

// Masked tells whether the task needs a mask of known pixels.
func (t Task) Masked() bool { return t == Inpaint || t == InpaintRandom || t == InpaintBox }

// Scale returns how many times wider and higher the restored picture is than the observation: 4 for SuperResolve, else 1.
func (t Task) Scale() int {
	if t == SuperResolve {
		return Factor
	}
	return 1
}

// UnknownTaskError says that a name is no task's.
type UnknownTaskError struct{ Name string }

func (e *UnknownTaskError) Error() string {
	return fmt.Sprintf("unknown task %q; the tasks are %s; %s is gaussian-deblur too", e.Name, strings.Join(names[:], ", "), Defocus)
}

// Parse returns the task of a CLI name, or GaussianDeblur of Defocus. Upper case and surrounding blanks are forgiven; anything else is an *UnknownTaskError,
// whose text lists the names.
func Parse(name string) (Task, error) {
	s := strings.ToLower(strings.TrimSpace(name))
	if s == Defocus {
		return GaussianDeblur, nil
	}
	for i, n := range names {
		if s == n {
			return Task(i), nil
		}
	}
	return 0, &UnknownTaskError{Name: name}
}

// MarshalText gives the CLI name, so that a Task can stand in JSON and in flags.
func (t Task) MarshalText() ([]byte, error) {
	if !t.Valid() {
		return nil, &UnknownTaskError{Name: t.String()}
	}
	return []byte(names[t]), nil
}

// UnmarshalText is Parse.
func (t *Task) UnmarshalText(b []byte) error {
	p, err := Parse(string(b))
	if err == nil {
		*t = p
	}
	return err
}
