package restore

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/weights"
)

// The tasks of a network are listed in its weights file (weights.KeyTasks), in the order of the
// one-hot vector that tells the adapter its task.
const (
	// noTask marks a place of the one-hot vector whose task the network was not trained for.
	noTask task.Task = -1
	// movement is the part of motion-deblur that no kernel describes. Its own network was trained
	// at denoise's place in the one-hot vector.
	movement task.Task = -2
	// compression is the part of denoise that undoes JPEG. It has such a network too.
	compression task.Task = -3
)

// partNames are the names of the parts of tasks that have networks of their own, in
// weights.KeyTasks and in file names.
var partNames = map[task.Task]string{movement: "movement", compression: "compression"}

// parseTaskOrPart is task.Parse, and knows parts of tasks.
func parseTaskOrPart(name string) (task.Task, error) {
	for part, known := range partNames {
		if name == known {
			return part, nil
		}
	}
	return task.Parse(name)
}

// taskOrder returns the tasks in the order of the one-hot vector.
func (n *Network) taskOrder() ([]task.Task, error) {
	text := n.Meta[weights.KeyTasks]
	if text == "" {
		return task.All(), nil
	}
	var ts []task.Task
	for _, name := range strings.Split(text, ",") {
		if name == "" {
			ts = append(ts, noTask)
			continue
		}
		t, err := parseTaskOrPart(name)
		if err == nil && (t == task.Inpaint || slices.Contains(ts, t)) {
			err = fmt.Errorf("%v cannot be in this list, or is in it twice", t)
		}
		if err != nil {
			return nil, &NetworkError{weights.KeyTasks, err}
		}
		ts = append(ts, t)
	}
	return ts, nil
}

// Tasks lists the tasks that the network was trained for. It fails with a *NetworkError if
// weights.KeyTasks is not a list of tasks.
func (n *Network) Tasks() ([]task.Task, error) {
	ts, err := n.taskOrder()
	return slices.DeleteFunc(ts, func(t task.Task) bool { return t < 0 }), err
}

// SetTasks says that the network was trained for these tasks alone, each at the place of its class
// in the one-hot vector.
func (n *Network) SetTasks(ts []task.Task) {
	if n.Meta == nil {
		n.Meta = map[string]string{}
	}
	n.Meta[weights.KeyTasks] = joinTasks(oneHotOrder(ts))
}

// SetMovement says that the network was trained for movement in a picture, at denoise's place.
// motion-deblur uses it if no blur kernel can be estimated.
func (n *Network) SetMovement() {
	if n.Meta == nil {
		n.Meta = map[string]string{}
	}
	n.Meta[weights.KeyTasks] = partNames[movement]
}

// SetCompression says that the network was trained for JPEG's artefacts, at denoise's place.
// denoise uses it if a picture's file says that these are most of its damage.
func (n *Network) SetCompression() {
	if n.Meta == nil {
		n.Meta = map[string]string{}
	}
	n.Meta[weights.KeyTasks] = partNames[compression]
}

// ForCompression reports whether SetCompression was called.
func (n *Network) ForCompression() bool { return n.Meta[weights.KeyTasks] == partNames[compression] }

// joinTasks writes a list of tasks as weights.KeyTasks.
func joinTasks(places []task.Task) string {
	return strings.TrimRight(strings.Join(taskNames(places), ","), ",")
}

// taskNames returns the names, "" for noTask.
func taskNames(ts []task.Task) []string {
	names := make([]string, len(ts))
	for i, t := range ts {
		switch {
		case t == noTask:
		case partNames[t] != "":
			names[i] = partNames[t]
		default:
			names[i] = t.String()
		}
	}
	return names
}

// oneHotOrder returns the order of the one-hot vector of a network for some tasks: each at its
// class, or one part alone.
func oneHotOrder(some []task.Task) []task.Task {
	if len(some) == 1 && partNames[some[0]] != "" {
		return some
	}
	all := task.All()
	for i, t := range all {
		if !slices.Contains(some, t) {
			all[i] = noTask
		}
	}
	return all
}
